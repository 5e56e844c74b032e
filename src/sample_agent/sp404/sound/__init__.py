"""Any sound made into what the unit plays."""
