"""What names and tags say of a file, before anybody listens."""
