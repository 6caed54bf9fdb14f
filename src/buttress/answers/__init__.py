"""Answers as text: reasoning apart, wrapping off, in sentences, with their refusals recognised."""
