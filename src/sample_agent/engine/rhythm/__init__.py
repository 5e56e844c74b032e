"""When a sound happens: onsets, slices, tempo."""
