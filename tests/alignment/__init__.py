"""Align and harden."""
