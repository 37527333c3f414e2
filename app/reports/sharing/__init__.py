"""Reports kept, sent and shown to others: saved views, scheduled mails, links that end."""
