"""Human feedback on pairs of answers: which pairs, how they are labelled, how far people agree."""
