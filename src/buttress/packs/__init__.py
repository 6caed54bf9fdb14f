"""Packs: versioned bundles of rules, fingerprints, prompts, templates, risks and policies."""
