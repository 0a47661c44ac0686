"""The whole service, and what is left of its work when parts of it are killed."""
