"""Signing in from inside a CRM: who may send somebody to the panel, and whom."""
