"""Other systems' secrets: sealed for one tenant and one purpose, under keys that can be exchanged."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.auth.errors import SealBroken
from app.auth.sealing import seal, unseal
from app.config import BadSettings, load_settings
from app.db import tenant_scope
from tests.conftest import TestTenant

OLD, NEW = "the old key " * 4, "the new key " * 4


def test_a_sealed_secret_opens_again_and_does_not_show_its_text(tenant: TestTenant) -> None:
    sealed = seal("pass word ä", purpose="crm:1")
    assert unseal(sealed, purpose="crm:1") == "pass word ä"
    assert "pass" not in sealed


def test_one_secret_is_sealed_differently_each_time(tenant: TestTenant) -> None:
    assert seal("same", purpose="crm:1") != seal("same", purpose="crm:1")


def test_a_sealed_secret_opens_for_no_other_purpose(tenant: TestTenant) -> None:
    with pytest.raises(SealBroken):
        unseal(seal("secret", purpose="crm:1"), purpose="crm:2")


def test_a_sealed_secret_opens_for_no_other_tenant(tenant: TestTenant, new_tenant: Callable[..., TestTenant]) -> None:
    sealed = seal("secret", purpose="crm:1")
    with tenant_scope(new_tenant("other").id), pytest.raises(SealBroken):
        unseal(sealed, purpose="crm:1")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_secret_changed_in_any_part_is_refused(tenant: TestTenant, part: int) -> None:
    parts = seal("secret", purpose="crm:1").split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    with pytest.raises(SealBroken):
        unseal(".".join(parts), purpose="crm:1")


@pytest.mark.parametrize("nothing", ["", ".", "s1", "a.b.c", "s1..", "ä.ä.ä"])
def test_what_was_never_sealed_is_refused(tenant: TestTenant, nothing: str) -> None:
    with pytest.raises(SealBroken):
        unseal(nothing, purpose="crm:1")


def test_after_an_exchange_the_old_key_opens_and_the_new_one_seals(
    app: Flask, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SEALING_KEYS", (OLD,))
    before = seal("secret", purpose="crm:1")
    monkeypatch.setitem(app.config, "SEALING_KEYS", (NEW, OLD))
    assert unseal(before, purpose="crm:1") == "secret"
    after = seal("secret", purpose="crm:1")
    monkeypatch.setitem(app.config, "SEALING_KEYS", (NEW,))
    assert unseal(after, purpose="crm:1") == "secret"
    with pytest.raises(SealBroken):
        unseal(before, purpose="crm:1")


ENVIRON = {
    "FIRSTHAND_DATABASE_URL": "postgresql://host/name",
    "FIRSTHAND_REDIS_URL": "redis://host",
    "FIRSTHAND_SECRET_KEY": "k" * 32,
}


def test_the_secret_key_seals_where_no_other_is_named() -> None:
    assert load_settings(ENVIRON).sealing_keys == ("k" * 32,)
    keys = {"FIRSTHAND_SEALING_KEYS": f"{'n' * 32} {'k' * 32}"}
    assert load_settings({**ENVIRON, **keys}).sealing_keys == ("n" * 32, "k" * 32)


def test_a_short_sealing_key_is_refused_at_the_start() -> None:
    with pytest.raises(BadSettings, match="FIRSTHAND_SEALING_KEYS is wrong"):
        load_settings({**ENVIRON, "FIRSTHAND_SEALING_KEYS": f"{'n' * 32} short"})
