"""Template filters of the listening test."""
