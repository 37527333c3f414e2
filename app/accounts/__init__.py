"""Whom we serve: accounts, contacts, contracts, pipeline, value, and priority from it."""
