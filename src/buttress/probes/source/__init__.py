"""Probes of source trees."""
