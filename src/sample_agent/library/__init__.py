"""Samples, collections, jobs and export. `library.api.router` is its HTTP side."""
