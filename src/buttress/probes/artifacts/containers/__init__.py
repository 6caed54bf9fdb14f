"""Readers of archives and compressed streams that keep going where stricter ones give up."""
