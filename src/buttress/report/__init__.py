"""Reports: HTML, JSON, SARIF."""
