"""What we promised: business calendars, clocks over an append-only ledger, and ladders of reminders."""
