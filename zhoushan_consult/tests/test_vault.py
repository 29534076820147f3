"""vault: what is sealed opens only where it belongs, only with its key, and never shows itself on the way."""

import copy
import json
import logging
import pickle
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from django.apps import apps
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.template import Context, Template
from django.test.utils import isolate_apps
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from hypothesis import given
from hypothesis import strategies as st

from zhoushan_consult.vault import checks, cipher, columns, keyring
from zhoushan_consult.vault.blind_index import LENGTH, blind_index
from zhoushan_consult.vault.error_reports import RedactingReporterFilter
from zhoushan_consult.vault.fields import SealedField
from zhoushan_consult.vault.rekeying import rekey_column
from zhoushan_consult.vault.sealed import Sealed

SECRET = "330902198603159817"
OLD, NEW = "k1:AAECAwQFBgcICQoLDA0ODw", "k2:EBESExQVFhcYGRobHB0eHw=="
INDEX = "ICEiIyQlJicoKSorLC0uLw"


# --- Envelopes ------------------------------------------------------------------------------------------------------


def test_cipher_matches_the_example_of_rfc_8998():
    """Appendix A.1 of RFC 8998: SM4-GCM."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    about = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    data = b"".join(bytes([byte]) * 8 for byte in bytes.fromhex("AABBCCDDEEFFEEAA"))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert cipher.encrypt(key, nonce, data, about) == sealed
    assert cipher.decrypt(key, nonce, sealed, about) == data
    with pytest.raises(InvalidTag):
        cipher.decrypt(key, nonce, sealed, about[:-1])


@given(text=st.text(max_size=300))
def test_sealed_text_opens_and_differs_each_time_it_is_sealed(text):
    first, second = cipher.seal(text, "a.b.c"), cipher.seal(text, "a.b.c")
    assert first != second and cipher.unseal(first, "a.b.c") == cipher.unseal(second, "a.b.c") == text


def test_envelope_names_its_version_and_its_key(settings):
    settings.VAULT_KEYS = f"{NEW},{OLD}"
    version, key_id, body = cipher.seal(SECRET, "a.b.c").split(".")
    assert (version, key_id) == ("v1", "k2") and SECRET not in body


@pytest.mark.parametrize("position", [-1, -12, -30, -45])
def test_altered_envelope_does_not_open(position):
    envelope = cipher.seal(SECRET, "a.b.c")
    other = "A" if envelope[position] != "A" else "Q"
    with pytest.raises(cipher.DecryptionError, match="改动过"):
        cipher.unseal(
            envelope[:position] + other + (envelope[position + 1 :] if position != -1 else ""), "a.b.c"
        )


def test_envelope_does_not_open_in_another_column():
    with pytest.raises(cipher.DecryptionError, match="不属于这里"):
        cipher.unseal(cipher.seal(SECRET, "a.b.c"), "a.b.d")


@pytest.mark.parametrize(
    "text", ["", "v1", "v1.k1", "v1.k1.", "v1.k1.*", "v1.k1.AAAA", SECRET, "v2.t1." + "A" * 80]
)
def test_other_text_is_not_an_envelope(text):
    assert not cipher.is_envelope(text)
    with pytest.raises(cipher.DecryptionError, match="不是封存的格式"):
        cipher.unseal(text, "a.b.c")


def test_envelope_opens_after_a_rotation_as_long_as_its_key_is_kept(settings):
    settings.VAULT_KEYS = OLD
    envelope = cipher.seal(SECRET, "a.b.c")
    settings.VAULT_KEYS = f"{NEW},{OLD}"
    assert cipher.unseal(envelope, "a.b.c") == SECRET
    settings.VAULT_KEYS = NEW
    with pytest.raises(cipher.DecryptionError, match="编号为 k1"):
        cipher.unseal(envelope, "a.b.c")


# --- Blind index ----------------------------------------------------------------------------------------------------


def sm3(data):
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def test_blind_index_is_hmac_sm3(settings):
    """HMAC (RFC 2104) written out by hand over SM3, and SM3 by the example of GB/T 32905."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    settings.VAULT_INDEX_KEY = INDEX
    block = bytes(range(0x20, 0x30)).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + f"5:phone:{SECRET}".encode())
    assert blind_index("phone", SECRET) == sm3(bytes(byte ^ 0x5C for byte in block) + inner).hex()


def test_blind_index_is_equal_only_for_the_same_text_and_purpose():
    assert blind_index("phone", SECRET) == blind_index("phone", SECRET)
    found = {
        blind_index(*pair)
        for pair in [("phone", "1"), ("id", "1"), ("phone", "2"), ("a", "1:b"), ("a:1", "b")]
    }
    assert len(found) == 5 and {len(index) for index in found} == {LENGTH}


@given(text=st.text(st.characters(), max_size=50))
def test_blind_index_takes_any_text(text):
    assert len(blind_index("search", text)) == LENGTH


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_generated_keys_are_valid_and_different():
    made = [keyring.generate_keys() for _ in range(20)]
    rings = [keyring.parse(*texts) for texts in made]
    assert len({ring.keys[ring.current] for ring in rings}) == len({ring.index_key for ring in rings}) == 20


BAD_KEYS = [
    ("", INDEX, "vault.E001", "没有设置 VAULT_KEYS"),
    (" ", INDEX, "vault.E001", "没有设置 VAULT_KEYS"),
    (OLD, "", "vault.E001", "没有设置 VAULT_INDEX_KEY"),
    (OLD.removeprefix("k1:"), INDEX, "vault.E002", "编号:密钥"),
    (f"{OLD},{OLD}", INDEX, "vault.E002", "不得重复"),
    (OLD.upper(), INDEX, "vault.E002", "小写字母"),
    ("k1:AAECAwQFBgcICQoLDA0O", INDEX, "vault.E002", "16字节"),
    ("k1:不是密钥", INDEX, "vault.E002", "不是 base64"),
    ("k1:AAAAAAAAAAAAAAAAAAAAAA==", INDEX, "vault.E002", "过于简单"),
    (OLD, "AAECAwQFBgcICQ==", "vault.E003", "太短"),
    (OLD, OLD.removeprefix("k1:"), "vault.E003", "不能与"),
]


@pytest.mark.parametrize("keys, index, code, words", BAD_KEYS)
def test_service_does_not_start_on_bad_keys_and_says_what_to_correct(settings, keys, index, code, words):
    settings.VAULT_KEYS, settings.VAULT_INDEX_KEY = keys, index
    with pytest.raises(keyring.InvalidKeys, match=words) as refused:
        apps.get_app_config("vault").ready()
    found = checks.check_keys()
    assert (
        [error.id for error in found] == [code] and words in found[0].msg and "vault.keyring" in found[0].hint
    )
    assert "AAECAw" not in str(refused.value)


def test_service_does_not_start_where_sm4_is_unsupported(monkeypatch):
    def none(*args):
        raise UnsupportedAlgorithm("SM4")

    monkeypatch.setattr(cipher, "encrypt", none)
    with pytest.raises(keyring.InvalidKeys, match="国密算法"):
        apps.get_app_config("vault").ready()


def test_service_starts_on_sound_keys():
    apps.get_app_config("vault").ready()
    assert checks.check_keys() == []


def test_keyring_never_prints_a_key(settings):
    assert (
        "00010203" not in (shown := repr(keyring.load_keyring()) + str(keyring.load_keyring()))
        and "\\x" not in shown
    )


# --- Columns --------------------------------------------------------------------------------------------------------


@pytest.fixture
def paper(db):
    """A model with two sealed columns, its table there for this test only."""
    with isolate_apps("zhoushan_consult.vault") as registry:

        class Paper(models.Model):
            number = models.IntegerField(primary_key=True)
            body = SealedField("内容", null=True)
            remark = SealedField("备注", blank=True)

            class Meta:
                app_label = "vault"

        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE vault_paper (number integer PRIMARY KEY, body text NULL, remark text NOT NULL)"
            )
        Paper.registry = registry
        yield Paper


def stored(model, column="body"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table} ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def test_sealed_field_seals_on_assignment_and_opens_on_request(paper):
    made = paper(number=1, body=SECRET)
    assert isinstance(made.body, Sealed) and made.body.open() == SECRET and SECRET not in str(vars(made))
    made.save()
    assert (
        paper.objects.get().body.open() == SECRET and paper.objects.defer("body").get().body.open() == SECRET
    )
    (envelope,) = stored(paper)
    assert envelope.startswith("v1.") and SECRET not in envelope


def test_sealed_field_seals_in_bulk_create_update_and_bulk_update(paper):
    made = paper.objects.bulk_create([paper(number=1, body="一"), paper(number=2, body="二")])
    paper.objects.filter(pk=1).update(body=SECRET)
    made[1].body = "三"
    paper.objects.bulk_update(made[1:], ["body"])
    assert [row.body.open() for row in paper.objects.order_by("pk")] == [SECRET, "三"]
    assert [body.open() for body in paper.objects.order_by("pk").values_list("body", flat=True)] == [
        SECRET,
        "三",
    ]
    assert all(envelope.startswith("v1.") for envelope in stored(paper))


def test_null_and_empty_text_are_stored_unsealed(paper):
    paper.objects.create(number=1)
    row = paper.objects.get(body__isnull=True)
    assert row.body is None and not row.remark and row.remark.open() == "" and str(row.remark) == ""
    assert stored(paper, "remark") == [""]


def test_ciphertext_copied_to_another_column_does_not_open(paper):
    paper.objects.create(number=1, body=SECRET)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_paper SET remark = body")
    row = paper.objects.get()
    assert row.body.open() == SECRET
    with pytest.raises(cipher.DecryptionError):
        row.remark.open()


def test_sealed_field_takes_only_text_and_repeats_no_content_in_the_error(paper):
    for wrong in (int(SECRET), Sealed.from_text(SECRET, "vault.paper.remark")):
        with pytest.raises(TypeError) as refused:
            paper(number=1, body=wrong)
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize("lookup", ["body", "body__in", "body__contains", "body__gt", "body__year"])
def test_sealed_field_cannot_be_searched(paper, lookup):
    with pytest.raises(FieldError, match="blind index"):
        paper.objects.filter(**{lookup: [SECRET] if lookup.endswith("in") else SECRET})


@pytest.mark.parametrize("option", ["unique", "db_index"])
def test_index_on_a_sealed_field_is_a_check_error(option):
    with isolate_apps("zhoushan_consult.vault"):

        class Paper(models.Model):
            body = SealedField(**{option: True})

            class Meta:
                app_label = "vault"

        assert "vault.E007" in [error.id for error in Paper.check()]


def test_sealed_field_keeps_its_column_name_in_a_migration():
    field = SealedField("内容", null=True, column_name="vault.letter.body")
    _, path, args, kwargs = field.deconstruct()
    again = SealedField(*args, **kwargs)
    assert path == "zhoushan_consult.vault.fields.SealedField" and "editable" not in kwargs
    assert (again.column_name, again.editable, again.null) == ("vault.letter.body", False, True)


def test_sealed_field_is_dumped_sealed_and_readable_after_loading(paper):
    dump = serializers.serialize("json", [paper(number=1, body=SECRET)])
    assert SECRET not in dump
    fields = {
        name: paper._meta.get_field(name).to_python(text)
        for name, text in json.loads(dump)[0]["fields"].items()
    }
    paper(number=1, **fields).save()
    assert paper.objects.get().body.open() == SECRET


# --- Nothing leaks --------------------------------------------------------------------------------------------------


def test_sealed_text_is_not_shown_when_printed_copied_pickled_or_logged(caplog):
    sealed = Sealed.from_text(SECRET, "a.b.c")
    with caplog.at_level(logging.INFO):
        logging.getLogger("vault").info("got %s %r", sealed, sealed)
    shown = [str(sealed), repr([sealed]), f"{sealed}", str(pickle.dumps(sealed)), caplog.text]
    assert not any(SECRET in text for text in shown) and str(sealed) == "（已封存）"
    for twin in (copy.copy(sealed), copy.deepcopy(sealed), pickle.loads(pickle.dumps(sealed))):
        assert twin == sealed and twin.open() == SECRET


def test_template_cannot_open_a_sealed_text():
    context = Context({"row": SimpleNamespace(body=Sealed.from_text(SECRET, "a.b.c"))})
    assert Template("{{ row.body }}|{{ row.body.open }}").render(context) == "（已封存）|"


def test_sealed_field_is_in_no_model_form(paper):
    from django.forms import modelform_factory

    assert list(modelform_factory(paper, fields="__all__").base_fields) == ["number"]


@pytest.mark.parametrize("debug", [True, False])
def test_error_report_has_nothing_that_was_typed(rf, settings, debug):
    settings.DEBUG, settings.VAULT_KEYS = debug, "broken"
    request = rf.post("/register/", {"id_number": SECRET})
    request.exception_reporter_filter = (
        RedactingReporterFilter()
    )  # as the settings name it; Django reads those once
    with pytest.raises(keyring.InvalidKeys) as failed:
        Sealed.from_text(request.POST["id_number"], "a.b.c")
    report = ExceptionReporter(request, failed.type, failed.value, failed.tb)
    page, mail = report.get_traceback_html(), report.get_traceback_text()
    assert "id_number" in page and "InvalidKeys" in page and SECRET not in page and SECRET not in mail


def test_debug_page_of_django_shows_no_content_of_a_loaded_row(rf, settings, paper):
    settings.DEBUG = True
    paper.objects.create(number=1, body=SECRET)
    with pytest.raises(ZeroDivisionError) as failed:
        _fail_with(paper.objects.get(), list(paper.objects.values()))
    reporter = ExceptionReporter(rf.get("/"), failed.type, failed.value, failed.tb)
    reporter.filter = SafeExceptionReporterFilter()  # Django's own, which shows local variables
    page = reporter.get_traceback_html()
    assert "&lt;Sealed vault.paper.body&gt;" in page and SECRET not in page


def _fail_with(row, rows):
    return len(rows) / 0


# --- Rotation -------------------------------------------------------------------------------------------------------


@pytest.fixture
def rotated(paper, settings):
    """Five rows under the old key, then the new key put first."""
    settings.VAULT_KEYS = OLD
    for number in range(5):
        paper.objects.create(number=number, body=f"内容{number}")
    settings.VAULT_KEYS = f"{NEW},{OLD}"
    return paper


def body(model):
    return model._meta.get_field("body")


def test_rekey_seals_each_row_under_the_new_key_once(rotated, settings):
    done = rekey_column(rotated, body(rotated), batch=2)
    assert (done.rekeyed, done.changed, done.unreadable) == (5, 0, 0)
    again = stored(rotated)
    assert rekey_column(rotated, body(rotated)).rekeyed == 0 and stored(rotated) == again
    settings.VAULT_KEYS = NEW
    assert [row.body.open() for row in rotated.objects.order_by("pk")] == [f"内容{n}" for n in range(5)]


def test_rekey_continues_where_it_was_interrupted(rotated, monkeypatch):
    real, opened = cipher.unseal, []

    def power_cut(envelope, place):
        opened.append(envelope)
        if len(opened) == 4:
            raise KeyboardInterrupt
        return real(envelope, place)

    monkeypatch.setattr(cipher, "unseal", power_cut)
    with pytest.raises(KeyboardInterrupt):
        rekey_column(rotated, body(rotated), batch=2)
    assert sum(text.startswith("v1.k2.") for text in stored(rotated)) == 2  # the batch that was finished
    assert rekey_column(rotated, body(rotated), batch=2).rekeyed == 3


def test_rekey_keeps_a_row_that_was_changed_meanwhile(rotated, monkeypatch):
    real = cipher.unseal

    def changed_meanwhile(envelope, place):
        rotated.objects.filter(pk=0).update(body="新的内容")
        return real(envelope, place)

    monkeypatch.setattr(cipher, "unseal", changed_meanwhile)
    assert rekey_column(rotated, body(rotated)).changed == 1
    monkeypatch.undo()
    assert rotated.objects.get(pk=0).body.open() == "新的内容"


def test_rekey_counts_unreadable_rows_and_rekeys_the_others(rotated):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_paper SET body = %s WHERE number = 2", ["v1.k1." + "A" * 60])
    done = rekey_column(rotated, body(rotated), batch=2)
    assert (done.rekeyed, done.unreadable) == (4, 1)


def test_rekey_command_rekeys_each_sealed_column_and_prints_counts_only(
    rotated, settings, monkeypatch, capsys
):
    registry = rotated.registry
    monkeypatch.setattr(
        "zhoushan_consult.vault.management.commands.rekey.sealed_columns",
        lambda: columns.sealed_columns(registry),
    )
    call_command("rekey")
    printed = capsys.readouterr().out
    assert (
        "vault.paper.body：改封 5" in printed
        and "vault.paper.remark：改封 0" in printed
        and "内容" not in printed
    )
    settings.VAULT_KEYS = f"k3:{OLD[3:]}"
    with pytest.raises(CommandError, match="有 5 项无法解开"):
        call_command("rekey")


def test_sealed_columns_are_all_sealed_fields_of_the_service():
    found = {field.column_name for _, field in columns.sealed_columns()}
    expected = {
        f"{field.model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedField)
    }
    assert found == expected


def problems():
    return [error.id for error in checks.check_rows(databases=["default"])]


def test_check_finds_rows_whose_key_is_missing_or_different(rotated, settings, monkeypatch):
    monkeypatch.setattr(checks, "sealed_columns", lambda: [(rotated, body(rotated))])
    assert problems() == []
    settings.VAULT_KEYS = NEW
    assert problems() == ["vault.E005"]
    settings.VAULT_KEYS = f"{NEW},k1:{keyring.generate_keys()[0].partition(':')[2]}"
    assert problems() == ["vault.E006"]


@pytest.mark.django_db
def test_check_of_the_rows_of_the_service_finds_no_error():
    assert checks.check_rows(databases=["default"]) == []
