"""Personal data: patterns, check digits, and where they stand in a text."""
