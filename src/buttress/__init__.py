"""Buttress: is this language-model system safe enough to launch? Evidence, risk, verdict."""

__version__ = "0.1.0"
