"""Align and harden: measure a model, change it, measure it again on the same requests."""
