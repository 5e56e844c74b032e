"""How loud a sound is, and when: loudness, peaks, silence, envelope, outline."""
