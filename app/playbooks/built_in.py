"""The playbooks that come with the product: to be adopted as they are, then changed like any other."""

from functools import cache
from importlib.resources import files
from typing import Any

from app.errors import NotFound
from app.playbooks.written import read_yaml

KEYS = ("customer_success", "service_request", "major_outage", "renewal_at_risk", "billing_dispute")


@cache
def definition_of(key: str) -> dict[str, Any]:
    """What a built-in playbook says."""
    if key not in KEYS:
        raise NotFound(f"There is no built-in playbook {key}")
    content = files("app.playbooks").joinpath("built_in_books", f"{key}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = read_yaml(content).content
    return found


def list_built_in() -> list[dict[str, Any]]:
    """All of them, the general one first."""
    found = {key: definition_of(key) for key in KEYS}
    return [
        {"key": key, "name": said["name"], "about": said["about"], "definition": said} for key, said in found.items()
    ]
