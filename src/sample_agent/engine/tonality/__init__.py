"""What notes a sound has: tones, tuning, key, pitch."""
