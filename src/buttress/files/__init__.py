"""Files: what is read and written, safely: walks, selection, bounded parsers, text made safe to show."""
