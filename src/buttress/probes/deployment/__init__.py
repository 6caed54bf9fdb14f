"""The probe of containers, clusters and build pipelines."""
