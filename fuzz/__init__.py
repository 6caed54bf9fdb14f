"""Fuzzing of every parser of untrusted bytes; ``docs/fuzzing.md`` says how to run it."""
