"""What probes with rules as data share: the rules, the walk to the files, and what was read."""
