"""Explanations of models that are asked."""
