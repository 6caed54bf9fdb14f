"""Buttress's probes as tasks of Inspect: ``inspect eval buttress/harmful_compliance``."""
