"""The client layer: what is delivered to users' devices, read as files."""
