"""What colour a sound has: descriptors of its spectrum, over the file and frame by frame."""
