"""Telling people: outbox, inbox, e-mail; knows user ids and addresses, never roles."""
