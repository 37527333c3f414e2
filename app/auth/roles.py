"""Roles and what each may do. A scope not listed here exists nowhere; a route without a scope is closed."""

from collections.abc import Collection

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
        "playbooks:write",
        "outbox:read",
        "outbox:write",
        "sandbox:write",
        "scim",
        "panels:launch",
        "webhooks:write",
    }
)
REPORT = frozenset({"reports:read", "reports:write"})
FEED = frozenset({"accounts:write", "imports:write", "escalations:raise", "escalations:feed"})
# What an integration holds only by a token that names it: to feed cases is no reason to change people, nor to let
# anybody in as any of them.
NAMED_ONLY = frozenset({"scim", "panels:launch"})

SCOPES_OF: dict[str, frozenset[str]] = {
    "csm": WORK | {"escalations:feed"},
    "specialist": WORK | {"escalations:feed"},
    "manager": WORK | REPORT | {"escalations:feed", "routing:read"},
    "executive": WORK | REPORT | {"escalations:feed", "routing:read"},
    "admin": WORK | ADMINISTER | FEED | REPORT,
    "integration": FEED | NAMED_ONLY,
}
SCOPES = frozenset().union(*SCOPES_OF.values())


def held_scopes(role: str, named: Collection[str] | None) -> frozenset[str]:
    """What a token may do: of its role's scopes those it names, or all when it names none."""
    if named is not None:
        return SCOPES_OF[role] & frozenset(named)
    return SCOPES_OF[role] - NAMED_ONLY if role == "integration" else SCOPES_OF[role]
