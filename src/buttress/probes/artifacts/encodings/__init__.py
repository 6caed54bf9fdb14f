"""Readers of general encodings that several formats are written in, for untrusted bytes."""
