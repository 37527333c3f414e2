"""Pages for people: what a link in a message opens."""
