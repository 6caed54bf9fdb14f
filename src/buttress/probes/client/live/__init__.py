"""Live pages of the client layer, opened in a browser that has no network of its own."""
