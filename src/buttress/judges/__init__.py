"""Judges: what decides a trial's outcome, each with a calibration measured on labels."""
