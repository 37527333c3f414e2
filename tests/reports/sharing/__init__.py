"""Saved views, scheduled mails and links of reports."""
