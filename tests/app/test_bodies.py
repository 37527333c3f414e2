"""Bodies that no field can hold: said with their place, never a failure on our side."""

import json

import pytest

PATH = "/api/v1/teams"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("character", ["\x00", "\ud800"])
def test_text_that_cannot_be_stored_is_refused_with_its_place(client, character):
    for body, pointer in (({"name": f"a{character}b"}, "/name"), ({f"a{character}b": 1}, "/")):
        answer = client.post(PATH, data=json.dumps(body), headers=JSON)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_whole_surrogate_pair_is_a_character_as_any_other(client):
    answer = client.post(PATH, data=json.dumps({"name": "Team \U0001f680"}), headers=JSON)
    assert (answer.status_code, answer.json["name"]) == (201, "Team \U0001f680")


def test_a_body_nested_without_end_is_not_valid(client):
    answer = client.post(PATH, data="[" * 100_000 + "]" * 100_000, headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")
