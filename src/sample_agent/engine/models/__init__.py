"""What was trained, evaluated: nets and trees from plain arrays."""
