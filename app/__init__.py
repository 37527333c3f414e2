"""Firsthand: escalations linked to accounts, owned from the start, closed within 30 days."""
