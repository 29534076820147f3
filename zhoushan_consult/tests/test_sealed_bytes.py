"""What lies in databases and backups already, pinned as bytes: an upgrade that cannot read it must fail here first.

Constant keys, constant rows. A new version of an envelope, an index or a seal adds its own pin; none is ever changed.
"""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from zhoushan_consult.audit import mac, sealing
from zhoushan_consult.audit.models import Entry, Seal
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.vault import cipher
from zhoushan_consult.vault.blind_index import blind_index

PLACE = "appointments.appointment.phone"
TEXT = "13800000001转8001，舟山"
VAULT_KEYS = "k2:EBESExQVFhcYGRobHB0eHw==,k1:AAECAwQFBgcICQoLDA0ODw=="
VAULT_INDEX_KEY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
AUDIT_KEY = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
ENVELOPES = {
    "v1, the key in force": "v1.k2.es2rp_nEZ3xpjpVznM6Oeo8gZ3KsPEgqcPLR2Lp8zg1JIKOSv2WqPWNG55XJQawNe4j8Taznqg",
    "v1, an older key": "v1.k1.gYCu7uYcbpgxAV7SI5rKvjm3kbNkq3qHLJLYlQ1glnuSZSPItcJyR--YBb30vLoaeOyfqy_W-g",
}
AT = datetime(2026, 12, 1, 9, 30, 0, 123456, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def constant_keys(settings):
    settings.VAULT_KEYS, settings.VAULT_INDEX_KEY, settings.AUDIT_KEY = VAULT_KEYS, VAULT_INDEX_KEY, AUDIT_KEY


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
def test_envelope_of_each_version_opens(envelope):
    assert cipher.is_envelope(envelope)
    assert cipher.unseal(envelope, PLACE) == TEXT
    with pytest.raises(cipher.DecryptionError):
        cipher.unseal(envelope, "appointments.appointment.email")


def test_envelope_that_is_sealed_today_has_the_pinned_form():
    made = cipher.seal(TEXT, PLACE)
    assert made.startswith("v1.k2.")
    assert len(made) == len(ENVELOPES["v1, the key in force"])
    assert cipher.prefix("k2") == "v1.k2."


@pytest.mark.parametrize(
    "text",
    ["v1.." + "A" * 80, "v1.k1." + "A" * 40 + "****" + "A" * 40, "v0.k1." + "A" * 80, "v1.k1." + "A" * 37],
)
def test_text_that_only_looks_like_an_envelope_is_none(text):
    assert not cipher.is_envelope(text)
    with pytest.raises(cipher.DecryptionError, match="不是封存的格式"):
        cipher.unseal(text, PLACE)


def test_shortest_envelope_holds_nothing_but_nonce_and_tag():
    assert cipher.is_envelope("v1.k1." + "A" * 38)  # 28 bytes
    assert cipher.unseal(cipher.seal("", PLACE), PLACE) == ""


def test_blind_index_of_a_text_stays_the_same():
    assert (
        blind_index("phone", "+8613800000001")
        == "95999ecdc0bf50f618cef758e8cde9b49607c6f846ceca7cd071b4b14880c8f6"
    )


def test_code_of_the_trail_stays_the_same():
    assert mac.compute_mac("舟山", "12") == "004122d5baa49e21d27af2b56e87352a2304f64f021dcadb4aa2c922aab2d54b"
    assert mac.compute_mac("舟", "山12") != mac.compute_mac("舟山", "12")


def entry(**changes) -> Entry:
    """An entry as it was stamped once."""
    values = {
        "verb": "初审通过",
        "about_kind": "appointments.appointment",
        "about_id": "17",
        "actor_id": 5,
        "actor_name": "钟和",
        "at": AT,
        "origin": "203.0.113.7",
        "facts": {"topics": ["雨污分流"], "b": 1, "a": None},
        "stamp": "730de3ed371493cdd36e6df74e54257ed7b9f1e1b896b39fcb006e62e831f2880aafa772d45ec00a",
    }
    return Entry(**(values | changes))


def test_stamp_of_an_entry_is_believed():
    assert mac.verify(entry())
    assert mac.verify(entry(facts={"a": None, "b": 1, "topics": ["雨污分流"]}))  # the order says nothing
    assert mac.verify(entry(at=AT.astimezone(tz=None)))  # nor does the time zone that it is read in


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("verb", "初审不予通过"),
        ("about_kind", "triage.assignment"),
        ("about_id", "18"),
        ("actor_id", 6),
        ("actor_id", None),
        ("actor_name", ""),
        ("at", AT + timedelta(microseconds=1)),
        ("origin", ""),
        ("facts", {"topics": ["雨污分流"], "b": 1}),
        ("facts", {"topics": [], "b": 1, "a": None}),
        ("stamp", "0" * 80),
        ("stamp", ""),
    ],
)
def test_entry_that_was_changed_is_not_believed(column, value):
    assert not mac.verify(entry(**{column: value}))


@pytest.mark.django_db
def test_seals_bind_entries_as_they_did():
    """Two seals in a row, over entries whose numbers leave a gap."""
    Entry.objects.bulk_create([stamped(number) for number in (1001, 1002, 1004)])
    sealing.seal(at=AT)
    Entry.objects.bulk_create([stamped(1005)])
    sealing.seal(at=AT + timedelta(hours=1))
    first, second = Seal.objects.order_by("number").values_list(
        "number", "members", "last_entry", "content", "mac"
    )
    assert first == (
        1,
        "1001-1002,1004",
        1004,
        "3590acceca1a62049af4aed52249b70533cd1a0f501e4d8bdea5fd807d77ab69",
        "b08cff75397a80de6db701dab54047327d41e90887242e8b03784733d832f43f",
    )
    assert second == (
        2,
        "1005",
        1005,
        "760c3ba839f165ef2c6dc6949a203017bbab994b4ec5557baf490efab0bf5a4f",
        "3ec14a3e79c48ba0fac302b473ecf649b306c6f9dca5276f2e7af87254839751",
    )
    assert list(sealing.find_problems()) == []


def stamped(number: int) -> Entry:
    return entry(pk=number, actor_id=None, stamp=STAMPS[number])


STAMPS = {
    1001: "e1f8f5c672b4972a00220536c2c0f3100f4f00eb34d5835f72f516de3e0429c8c1ac30c056fa60ef",
    1002: "bad514fed208abb862dd8c60f8203d1f5214d6843f249b2112493a95ae4e3abaa6a275a5a92bab61",
    1004: "4d8f87b1cf406a4fa6b06c2aa069d6a14f77c667ae8ad384a931a4c481fce873669c574abde38ecc",
    1005: "587c81a47ed62af2dafd0f775a324c74f31f7c15b7f6155f3080f4a7eebb309a1694875bb342c895",
}


@pytest.mark.parametrize("length", [31, 32])
def test_key_of_the_trail_has_32_bytes_at_least(settings, length):

    settings.AUDIT_KEY = urlsafe_b64encode(bytes(range(length))).decode()
    if length < 32:
        with pytest.raises(ImproperlyConfigured, match="AUDIT_KEY"):
            mac.load_key()
    else:
        assert mac.load_key() == bytes(range(length))
