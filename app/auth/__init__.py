"""Who is calling: tenants, users, roles, API tokens, signed links, guards (deny by default)."""
