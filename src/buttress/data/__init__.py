"""The machine that cleans training data: reading, stages, indexes on disk, the runner."""
