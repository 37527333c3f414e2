"""What each kind of CRM is connected by: how it names an organisation, and what proves that it is asking."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.panels.embed import salesforce, zendesk

PORTAL = re.compile(r"[1-9][0-9]{0,14}\Z", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,20}\Z", re.ASCII)
ANY = re.compile(r"[!-~]{1,200}\Z", re.ASCII)
WORD = re.compile(r"[a-z][a-z0-9_-]{0,49}\Z", re.ASCII)
# HubSpot serves its pages from one host per data centre.
HUBSPOT_HOSTS = ("app", "app-na2", "app-na3", "app-eu1", "app-ap1")


@dataclass(frozen=True)
class Kind:
    """`read_key` gives the one form of an organisation's key, or None, `read_id` that of a user or record.

    `proof` is the field that proves the sender.

    `pages` may show a page that says nothing of anybody, such as a refusal; the panel itself is shown only in origins
    that are the organisation's own.
    """

    read_key: Callable[[str], str | None]
    key_form: str
    read_id: Callable[[str], str | None]
    proof: str | None
    origins: Callable[[str], list[str]] = lambda key: []
    pages: tuple[str, ...] = ()


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda key: key if pattern.match(key) else None


KINDS: Mapping[str, Kind] = {
    "salesforce": Kind(
        read_key=salesforce.long_id,
        key_form="an organization id of 15 or 18 characters such as 00D30000000001bEAA",
        read_id=salesforce.long_id,
        proof="secret",
        pages=("https://*.salesforce.com", "https://*.force.com", "https://*.visualforce.com"),
    ),
    "hubspot": Kind(
        read_key=_matching(PORTAL),
        key_form="a portal id such as 62515",
        read_id=_matching(NUMBER),
        proof="secret",
        origins=lambda key: [f"https://{host}.hubspot.com" for host in HUBSPOT_HOSTS],
    ),
    "zendesk": Kind(
        read_key=_matching(zendesk.AUDIENCE),
        key_form="an address such as https://acme.zendesk.com/api/v2/apps/installations/4711.json",
        read_id=_matching(NUMBER),
        proof="public_key",
        origins=lambda key: [f"https://{zendesk.host_of(key)}"],
        pages=("https://*.zendesk.com",),
    ),
    "generic": Kind(read_key=_matching(WORD), key_form="a word such as dynamics", read_id=_matching(ANY), proof=None),
}
