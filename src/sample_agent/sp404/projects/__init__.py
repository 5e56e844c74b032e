"""A project as one value: read, verified, edited, merged and written."""
