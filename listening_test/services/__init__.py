"""What changes rows of the listening test."""
