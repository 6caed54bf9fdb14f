"""Attacks: one file a family; each turns a request into adversarial ones."""
