"""What people call the codes of a case, wherever it is shown: its promises and their states, its status, tier and the
segment of its account."""

from app.texts import noted

CLOCKS = {
    "decide": noted("Decide on the request"),
    "acknowledge": noted("Acknowledge"),
    "respond": noted("First answer to the customer"),
    "reply": noted("Answer the customer"),
    "customer_update": noted("Tell the customer"),
    "account_team_update": noted("Tell the account team"),
    "executive_update": noted("Tell the executives"),
    "tier": noted("Resolve in this tier"),
    "plan": noted("Agree a plan"),
    "still_on_it": noted("Sign of work"),
    "close": noted("Close"),
    "verify": noted("Get the customer's word"),
    "task": noted("Task"),
}
CLOCK_STATES = {
    "running": noted("running"),
    "paused": noted("paused"),
    "breached": noted("missed, still open"),
    "met": noted("kept"),
    "missed": noted("missed"),
    "cancelled": noted("ended"),
}
TIERS = {
    "tier_1": noted("Tier 1"),
    "tier_2": noted("Tier 2"),
    "tier_3": noted("Tier 3"),
    "onsite": noted("On site"),
    "vendor": noted("Vendor"),
    "management": noted("Management"),
}
SEGMENTS = {
    "strategic": noted("strategic"),
    "enterprise": noted("enterprise"),
    "mid_market": noted("mid-market"),
    "small": noted("small"),
}
STATUSES = {
    "requested": noted("Waits for approval"),
    "declined": noted("Declined"),
    "open": noted("Waits to be acknowledged"),
    "in_progress": noted("In progress"),
    "waiting": noted("Waiting"),
    "resolved": noted("Waits for the customer's word"),
    "closed": noted("Closed"),
    "merged": noted("Merged"),
}
