"""An assessment: from a system to a document with verdicts."""
