"""One file a format: how it is recognised by content, and what is examined in it."""
