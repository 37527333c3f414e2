"""Roles and what each may do. A scope not listed here exists nowhere; a route without a scope is closed."""

ROLES = ("csm", "specialist", "manager", "executive", "admin", "integration")

READ = frozenset({"accounts:read", "escalations:read", "notifications:read", "users:read", "settings:read"})
WORK = READ | {"escalations:raise", "escalations:work", "absences:write", "notifications:write"}
ADMINISTER = frozenset(
    {
        "accounts:write",
        "imports:write",
        "settings:write",
        "users:write",
        "tokens:write",
        "teams:write",
        "routing:read",
        "routing:write",
        "calendars:write",
        "promises:write",
        "outbox:read",
        "outbox:write",
        "sandbox:write",
    }
)
FEED = frozenset({"accounts:write", "imports:write", "escalations:raise", "escalations:feed"})

SCOPES_OF: dict[str, frozenset[str]] = {
    "csm": WORK | {"escalations:feed"},
    "specialist": WORK | {"escalations:feed"},
    "manager": WORK | {"escalations:feed", "routing:read"},
    "executive": WORK | {"escalations:feed", "routing:read"},
    "admin": WORK | ADMINISTER | FEED,
    "integration": FEED,
}
SCOPES = frozenset().union(*SCOPES_OF.values())
