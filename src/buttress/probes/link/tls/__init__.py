"""TLS as a client sees it before anything is encrypted: offers, and what servers answer."""
