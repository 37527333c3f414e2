"""HubSpot's third signature: the published test of its Python library, and what has to be refused."""

import pytest

from app.panels.embed.errors import Malformed, SignatureStale, SignatureWrong, WrongTenant
from app.panels.embed.hubspot import HubSpotCaller, check_request, read_caller, readings, sign

# hubspot-api-python, tests/spec/utils/test_signature.py
PUBLISHED = {
    "method": "POST",
    "uri": "https://www.example.com/webhook_uri",
    "body": b"{'example_field':'example_value'}",
    "signature": "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=",
    "timestamp": "15000000",
    "secret": "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
    "now_ms": 15_000_000,
}
SECRET = PUBLISHED["secret"]
URI = "https://firsthand.example/panel/embed/hubspot/0.1?userId=7&userEmail=cora%40example.com&portalId=62515&appId=3"
NOW = 1_790_000_000_000


def check(**changes):
    check_request(**PUBLISHED | changes)


def signed(uri, signed_as, *, timestamp=NOW, method="POST", body=b"{}"):
    stamp = str(timestamp)
    signature = sign(SECRET, method, signed_as, body, stamp)
    check_request(method=method, uri=uri, body=body, signature=signature, timestamp=stamp, secret=SECRET, now_ms=NOW)


def test_the_published_example_is_taken():
    check()


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"uri": "https://www.example.com/webhook_uri/"},
        {"uri": "http://www.example.com/webhook_uri"},
        {"uri": "https://www.example.com/webhook_uri?admin=1"},
        {"body": b"{'example_field':'other_value'}"},
        {"body": b""},
        {"secret": "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyz"},
        {"timestamp": "15000001"},
        {"timestamp": "015000000"},
        {"signature": "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQx="},
        {"signature": "hpw73rutkmcyoedadg0s6mmgfwuzwjkaw07r8rdgcqw="},
        {"signature": "1cf5bbdd152d2a6718a040c00c6d2ce8c98615653358928 05b4eebf110e0710c"},
    ],
)
def test_the_published_example_with_one_thing_changed_is_refused(change):
    with pytest.raises(SignatureWrong):
        check(**change)


@pytest.mark.parametrize("late", [0, 1, 299_999, 300_000, -300_000])
def test_five_minutes_either_way_are_taken_to_the_millisecond(late):
    check(now_ms=PUBLISHED["now_ms"] + late)


@pytest.mark.parametrize("late", [300_001, -300_001, 10**12])
def test_a_millisecond_more_is_refused(late):
    with pytest.raises(SignatureStale):
        check(now_ms=PUBLISHED["now_ms"] + late)


@pytest.mark.parametrize(
    "timestamp", [None, "", "NaN", "1.5e7", "-15000000", " 15000000", "15000000\n", "+15000000", "١٥٠٠٠٠٠٠", "1" * 400]
)
def test_a_timestamp_that_is_not_digits_is_refused(timestamp):
    with pytest.raises(Malformed):
        check(timestamp=timestamp)


@pytest.mark.parametrize("signature", [None, ""])
def test_a_request_without_the_third_signature_is_refused(signature):
    """The older ones, which stand beside it, are no proof of the address or the time."""
    with pytest.raises(Malformed):
        check(signature=signature)


def test_an_address_signed_as_the_table_decodes_it_is_taken():
    uri = "https://f.example/p?a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%20%26%3D%25"
    assert readings(uri)[0] == "https://f.example/p?a=:/?@!$'()*,;&b=%20%26%3D%25"
    signed(uri, "https://f.example/p?a=:/?@!$'()*,;&b=%20%26%3D%25")


def test_an_address_signed_as_it_stands_or_decoded_whole_is_taken():
    signed(URI, URI)
    signed("https://f.example/p?name=J%C3%BCrgen%20%26%20S", "https://f.example/p?name=Jürgen & S")


def test_an_address_signed_in_any_other_reading_is_refused():
    with pytest.raises(SignatureWrong):
        signed("https://f.example/p?a=%20%40", "https://f.example/p?a= %40")


def test_the_caller_is_whom_hubspot_names_in_the_query():
    query = URI.partition("?")[2]
    assert read_caller(query, portal_id="62515") == HubSpotCaller("7", "cora@example.com")


def test_another_portals_request_is_refused():
    for query in (URI.partition("?")[2], "userId=7", ""):
        with pytest.raises(WrongTenant):
            read_caller(query, portal_id="62516")


@pytest.mark.parametrize(
    "query",
    [
        "userId=1&portalId=62515&userId=7",
        "portalId=62515&userId=7&userEmail=boss%40example.com&userEmail=cora%40example.com",
        "portalId=62515&portalId=62515&userId=7",
        "portalId=62515",
        "portalId=62515&userId=",
        "portalId=62515&userId=x",
    ],
)
def test_a_name_that_a_card_put_beside_hubspots_own_is_refused(query):
    with pytest.raises(Malformed):
        read_caller(query, portal_id="62515")
