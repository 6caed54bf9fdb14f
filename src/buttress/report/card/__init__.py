"""Cards: what an assessment found, in the order of headings that somebody else prescribes."""
