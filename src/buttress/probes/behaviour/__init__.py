"""Probes of what a model says."""
