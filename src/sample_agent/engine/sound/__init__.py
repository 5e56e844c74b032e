"""What a sound is, and what it is like: kind, class, vector, fingerprint."""
