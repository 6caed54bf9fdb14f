"""The API of a model as an attacker sees it: keys, objects, limits, errors, origins, forgery."""
