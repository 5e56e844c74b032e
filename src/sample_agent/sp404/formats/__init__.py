"""The bytes of each kind of file, read and written."""
