"""Labels by people: which trials to show, how they are kept, and what they say about the rate."""
