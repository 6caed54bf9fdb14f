"""Files: walks, selection, bounded parsers, atomic writes, text made safe to show."""
