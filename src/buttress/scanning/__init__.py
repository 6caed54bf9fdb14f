"""The workflow around inspection probes: what is read, what is known already, what is told."""
