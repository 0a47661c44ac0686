"""Pages of the listening test."""
