"""Webhooks: other systems hear of cases and missed promises as they happen, signed and at least once."""
