"""Attacks through pictures, for models that take them."""
