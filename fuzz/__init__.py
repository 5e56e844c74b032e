"""Random bytes for everything that reads files: `make fuzz`, or `python -m fuzz NAME --seconds 600`."""
