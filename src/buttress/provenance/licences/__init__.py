"""Licences of weights, data and code, and where they conflict with each other or with the use."""
