"""Social bias: question sets, and scores of what a model answered."""
