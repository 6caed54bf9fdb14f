"""Privacy: attacks, audits, canaries."""
