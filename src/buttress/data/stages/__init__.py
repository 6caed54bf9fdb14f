"""The stages that come with Buttress; each is registered as an entry point."""
