"""The case: its lifecycle, timeline, attempts, updates and messages."""
