"""Benchmarks: each runs the real program beside a peer, in one run, and prints a ratio."""
