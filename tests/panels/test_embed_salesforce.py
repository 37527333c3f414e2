"""Canvas signed requests: made here by the published rule, since Salesforce publishes none together with its secret."""

import base64
import hashlib
import hmac
import json

import pytest

from app.panels.embed.errors import AlgorithmRefused, Malformed, SignatureWrong, WrongTenant
from app.panels.embed.salesforce import CanvasVisit, long_id, read_signed_request

SECRET = "8B3F1A0C5D7E"
ORGANIZATION = "00D30000000001bEAA"
RECORD = "0013000000sXpXQAA0"[:15]


def content(**changes):
    return {
        "algorithm": "HMACSHA256",
        "issuedAt": None,
        "userId": "005300000000001",
        "client": {
            "oauthToken": "00D3!never.read",
            "instanceUrl": "https://acme.my.salesforce.com",
            "targetOrigin": "https://acme.lightning.force.com",
        },
        "context": {
            "user": {"userId": "005300000000001", "email": "cora@example.com", "userType": "STANDARD"},
            "organization": {"organizationId": ORGANIZATION, "name": "Acme"},
            "environment": {"record": {"Id": RECORD}, "parameters": {}},
        },
    } | changes


def signed(body, secret=SECRET):
    payload = base64.b64encode(body if isinstance(body, bytes) else json.dumps(body).encode()).decode()
    signature = base64.b64encode(hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()).decode()
    return f"{signature}.{payload}"


def read(sent, organization=ORGANIZATION, secret=SECRET):
    return read_signed_request(sent, secret=secret, organization_id=organization)


def within(**context):
    return content(context=content()["context"] | context)


def test_a_signed_request_says_who_opened_which_record_from_where():
    assert read(signed(content())) == CanvasVisit(
        user_id=long_id("005300000000001"),
        email="cora@example.com",
        record_id=long_id(RECORD),
        origins=("https://acme.lightning.force.com", "https://acme.my.salesforce.com"),
    )


def test_the_oauth_token_is_nowhere_in_what_is_read():
    assert "never.read" not in repr(read(signed(content())))


def test_a_record_given_as_a_parameter_counts_where_the_page_gives_none():
    environment = {"record": {}, "parameters": {"recordId": RECORD}}
    assert read(signed(within(environment=environment))).record_id == long_id(RECORD)
    as_text = {"record": {}, "parameters": json.dumps({"recordId": RECORD})}
    assert read(signed(within(environment=as_text))).record_id == long_id(RECORD)


def test_a_case_stands_for_the_account_that_it_names():
    record = {"Id": "500300000000001", "AccountId": RECORD, "attributes": {"type": "Case"}}
    assert read(signed(within(environment={"record": record}))).record_id == long_id(RECORD)


@pytest.mark.parametrize("environment", [None, {}, {"record": None}, {"record": {"Id": "../x"}, "parameters": "{"}, []])
def test_without_a_record_there_is_still_a_visitor(environment):
    visit = read(signed(within(environment=environment)))
    assert (visit.user_id, visit.record_id) == (long_id("005300000000001"), None)


@pytest.mark.parametrize("kind", ["CSPLitePortal", "GUEST", "PowerCustomerSuccess", "", None])
def test_the_address_of_somebody_who_is_no_staff_is_not_passed_on(kind):
    user = {"userId": "005300000000001", "email": "boss@example.com", "userType": kind}
    assert read(signed(within(user=user))).email is None


def test_another_secrets_signature_is_refused():
    with pytest.raises(SignatureWrong):
        read(signed(content(), secret="guessed"))


def test_a_payload_changed_under_its_signature_is_refused():
    signature = signed(content()).partition(".")[0]
    other = signed(within(user={"userId": "005300000000002"})).partition(".")[2]
    with pytest.raises(SignatureWrong):
        read(f"{signature}.{other}")


def test_a_signature_over_the_decoded_json_is_refused():
    body = json.dumps(content()).encode()
    wrong = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    with pytest.raises(SignatureWrong):
        read(f"{wrong}.{base64.b64encode(body).decode()}")


def test_the_same_signature_written_otherwise_is_refused():
    """The last sign of 32 bytes in Base64 has two bits to spare: four texts decode to the same bytes."""
    signature, _, payload = signed(content()).partition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = f"{signature[:-2]}{alphabet[alphabet.index(signature[-2]) ^ 1]}="
    assert base64.b64decode(twin) == base64.b64decode(signature)
    with pytest.raises(SignatureWrong):
        read(f"{twin}.{payload}")


@pytest.mark.parametrize("algorithm", ["HMACSHA1", "none", "", None, ["HMACSHA256"]])
def test_a_well_signed_request_that_names_another_algorithm_is_refused(algorithm):
    with pytest.raises(AlgorithmRefused):
        read(signed(content(algorithm=algorithm)))


def test_the_algorithms_name_is_read_whatever_its_case():
    assert read(signed(content(algorithm="hmacSHA256"))).user_id


@pytest.mark.parametrize("organization", ["00D30000000002bEAA", "", None, {"x": 1}])
def test_a_well_signed_request_of_another_organisation_is_refused(organization):
    with pytest.raises(WrongTenant):
        read(signed(within(organization={"organizationId": organization})))


def test_an_organisation_written_with_15_characters_is_the_same():
    assert read(signed(within(organization={"organizationId": ORGANIZATION[:15]}))).user_id


@pytest.mark.parametrize("sent", ["", ".", "abc", "abc.", ".abc", "a.ü"])
def test_what_has_not_two_parts_is_malformed(sent):
    with pytest.raises(Malformed):
        read(sent)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'"text"', b"[" * 100_000, b"\xff"])
def test_a_well_signed_text_that_is_no_request_is_refused(body):
    with pytest.raises(Malformed):
        read(signed(body))


@pytest.mark.parametrize("user", [None, {}, {"userId": ""}, {"userId": 7}, {"userId": "<script>alert(1"}])
def test_a_request_that_names_no_user_is_malformed(user):
    with pytest.raises(Malformed):
        read(signed(within(user=user)))


@pytest.mark.parametrize(
    "url", ["http://acme.my.salesforce.com", "https://", "javascript:alert(1)", "https://a b", "https://[", None, 7]
)
def test_an_address_that_is_no_https_origin_is_left_out(url):
    client = {"instanceUrl": url, "targetOrigin": "https://acme.lightning.force.com"}
    assert read(signed(content(client=client))).origins == ("https://acme.lightning.force.com",)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        # The suffix counts capitals five characters a time, the first character as 1: none is A, ABCDE all is 5.
        ("000000000000000", "000000000000000AAA"),
        ("ABCDEfghijklmno", "ABCDEfghijklmno5AA"),
        ("aBcdeabcdEAbcde", "aBcdeabcdEAbcdeCQB"),
        ("ABCDEfghijklmno5AA", "ABCDEfghijklmno5AA"),
        ("ABCDEfghijklmnoAAA", None),
        ("ABCDEfghijklmno5", None),
        ("ABCDEfghijklmn-", None),
        ("ABCDEfghijklmno\n", None),
        ("", None),
        (None, None),
    ],
)
def test_an_id_of_15_characters_is_written_with_18(given, made):
    assert long_id(given) == made
