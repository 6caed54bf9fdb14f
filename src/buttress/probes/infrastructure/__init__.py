"""What runs on a host: products by their answers, their versions, and what they offer to anybody."""
