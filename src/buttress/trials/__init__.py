"""The one engine that runs all trials."""
