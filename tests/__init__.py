"""Tests."""

from datetime import UTC, datetime

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday, well before any change to summer time in Europe
