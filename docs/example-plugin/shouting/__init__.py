"""A plugin of Buttress; see README.md."""
