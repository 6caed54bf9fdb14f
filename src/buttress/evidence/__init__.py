"""Evidence: immutable records of trials and findings, append-only and hash-chained."""
