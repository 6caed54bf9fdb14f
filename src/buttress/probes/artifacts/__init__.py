"""Probes of model files."""
