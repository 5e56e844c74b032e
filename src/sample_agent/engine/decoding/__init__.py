"""Audio files in, samples out."""
