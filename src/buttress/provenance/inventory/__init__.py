"""What a system is made of: models, adapters, data, code and packages."""
