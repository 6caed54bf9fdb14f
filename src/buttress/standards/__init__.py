"""Standards and their crosswalks."""
