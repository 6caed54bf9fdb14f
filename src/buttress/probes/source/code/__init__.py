"""Rules about Python code, applied to its syntax tree: nothing is imported or run."""
