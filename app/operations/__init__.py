"""Keeping it running: the supervisor, tenant set-up, sample, imports, sandbox clock, health, doctor."""
