"""What is exposed as normalised facts, and what of it has changed since the reference."""
