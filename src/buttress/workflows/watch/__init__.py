"""The watch: what is exposed is checked again and again, and what changed is told once."""
