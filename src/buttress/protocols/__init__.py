"""What the parts are to each other: probes, procedures, attacks and judges, as types only."""
