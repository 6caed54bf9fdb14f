"""Recognises credentials in bytes: rules as data, checks of structure and checksum."""
