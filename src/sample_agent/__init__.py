"""The SP-404MK2 Sample Agent."""
