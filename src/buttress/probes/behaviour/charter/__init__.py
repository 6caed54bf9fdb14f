"""A charter's principles as questions: written down, reviewed by a person, then asked."""
