"""Reads git repositories without trusting them."""
