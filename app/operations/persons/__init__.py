"""A person by law: everything kept of them as one file, and their erasure."""
