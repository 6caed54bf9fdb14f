"""Probes: procedures that examine assets and yield evidence."""
