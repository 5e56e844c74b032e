"""What a stream of samples is cut into: frames, spectra, cells."""
