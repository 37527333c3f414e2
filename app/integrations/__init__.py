"""Other systems: each has a package of its own that maps its words to ours."""
