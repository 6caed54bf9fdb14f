"""Contents of packs that are about model files."""
