"""The probe of dependencies: known vulnerabilities, look-alike names, and what is not pinned."""
