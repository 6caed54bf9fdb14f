"""Makes genuine model files with the frameworks that are installed, for ``genuine_files.py``."""
