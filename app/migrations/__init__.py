"""Alembic migrations, one head, and what guards the tables besides columns: policies, grants, triggers."""
