"""Are the weights what they should be? Reads whole tensors, so it is asked for, not a default."""
