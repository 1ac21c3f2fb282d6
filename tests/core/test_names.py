"""Names that people give: what they may hold, in every table, and how they stand in a sentence."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.name_fields import NameColumn, require_printable
from core.names import is_printable, isolated

OUR_APPS = ("accounts", "alerts", "assets", "geofence", "outbox", "positions", "uplinks", "billing")
# Written by the server itself.
OURS = {"accounts.auditentry.by_name", "accounts.auditentry.subject_name"}
HEBREW, ARABIC = "מחסן", "مستودع"


@pytest.mark.field("H-16")
@pytest.mark.parametrize("char", list("\u202e\u2066\u200f\n\r\t\x07\x7f\x85\u2028\u200b"))
def test_a_name_holds_no_character_that_nobody_sees(char: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        require_printable(f"van{char}7")

    assert refusal.value.code == "forbidden-character"


@pytest.mark.parametrize(
    "name", [HEBREW, ARABIC, "Käfer №7", "می\u200cخواهم", "👩\u200d🔧 Anna", "冷蔵庫"]
)
def test_a_name_of_any_script_is_taken(name: str) -> None:
    assert is_printable(name)


@pytest.mark.field("H-16")
def test_every_name_of_every_table_is_checked() -> None:
    names = {
        f"{field.model._meta.label_lower}.{field.name}": field
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.name == "name" or field.name.endswith("_name")
        if hasattr(field, "max_length")
    }

    assert len(names) >= 9
    assert {label for label, field in names.items() if not isinstance(field, NameColumn)} == OURS


@pytest.mark.field("H-16")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("van", "van"),
        ("van\u202e 7", "van 7"),
        (HEBREW, f"\u2068{HEBREW}\u2069"),
        (f"\u2069{ARABIC}\u202e", f"\u2068{ARABIC}\u2069"),
        ("٣", "\u2068٣\u2069"),
    ],
)
def test_a_name_in_a_sentence_turns_nothing_around_it(name: str, shown: str) -> None:
    assert isolated(name) == shown


@given(st.text())
def test_whatever_is_isolated_begins_and_ends_in_balance(text: str) -> None:
    shown = isolated(text)

    assert shown.count("\u2068") == shown.count("\u2069") <= 1
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f\u061c")
    assert isolated(shown) == shown
