"""What a run leaves for programs: typed and versioned documents."""
