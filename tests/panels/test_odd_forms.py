"""Forms that no page of ours sends: refused by the field's name, never an error of ours."""

import pytest

from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]

MANY = "9" * 5_000  # digits, more than Python reads as a number


@pytest.mark.parametrize(
    ("action", "form", "field"),
    [
        ("acknowledge", "note=1&note.b=2", "note.b"),
        ("acknowledge", "note.b=2&note=1", "note"),
        ("acknowledge", "note=1&note.b.c=2", "note.b.c"),
        ("edit", "version=--5", "version"),
        ("edit", f"version={MANY}", "version"),
        ("edit", f"version=1&severity={MANY}", "severity"),
        ("tasks", f"title=x&after.{MANY}.x=1", "after"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_by_its_field(action, form, field, raise_case, panel, company):
    path = f"/panel/escalations/{raise_case()['id']}/{action}"
    options = {"data": form, "content_type": "application/x-www-form-urlencoded"}
    answer = panel(company.owner).client.post(path, **options)
    assert answer.status_code == 422
    assert f'data-field="{field}' in answer.text
