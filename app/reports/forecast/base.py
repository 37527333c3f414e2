"""The base model: what is asked before a tenant has history enough, and what its own model is drawn towards."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.reports.forecast.hazard import Hazard

FILE = Path(__file__).with_name("base.toml")


@cache
def shipped() -> Mapping[str, Any]:
    """The file: coefficients, where they come from and how good they were there."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def base_model() -> Hazard:
    return Hazard.of(shipped())
