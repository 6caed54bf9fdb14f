"""What runs on a host: products, their versions, and what they offer to anybody."""
