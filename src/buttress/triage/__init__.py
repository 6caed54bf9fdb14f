"""What happens to findings between a probe and a report: baselines, suppressions, VEX."""
