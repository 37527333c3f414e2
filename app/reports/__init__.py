"""For executives: what was known at any moment, told from facts kept beside the timeline."""
