"""Samples, a layout and their sounds put together: what goes onto a card."""
