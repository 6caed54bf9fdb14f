"""The machine that runs inspection probes over files."""
