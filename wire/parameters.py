"""Parameters of a query string or a form body; unreadable ones raise, none is dropped."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from core.errors import UnreadableUplink
from core.observation import Value
from wire.quantities import number_of_text
from wire.uplink import Uplink

_MAX_PARAMETERS = 200
_MAX_EXACT_DIGITS = 15
# Credentials in a URL are checked by the door and never stored.
SECRETS = frozenset({
    "key", "token", "apikey", "api_key", "access_token", "password", "secret",
    # The phone's own for push messages.
    "notificationToken",
})  # fmt: skip


def parameters(text: str) -> dict[str, list[str]]:
    """Return the values of each parameter, in their order.

    Raises UnreadableUplink for bytes that are not UTF-8, for U+0000 and for too many.
    """
    if text.count("&") >= _MAX_PARAMETERS:
        raise UnreadableUplink(f"more than {_MAX_PARAMETERS} parameters.")
    has_escapes = "%" in text or "+" in text
    pairs = _pairs_with_escapes(text) if has_escapes else _pairs_without_escapes(text)
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in found:
            found[name].append(value)
        else:
            found[name] = [value]
    return found


def _pairs_without_escapes(text: str) -> list[tuple[str, str]]:
    """Split parameters without escapes, which are the usual ones, at a fifth of the cost."""
    if "\0" in text:
        raise UnreadableUplink("U+0000 cannot be stored.", code="forbidden-character")
    fields = [field.partition("=") for field in text.split("&") if field]
    return [(name, value) for name, _, value in fields]


def _pairs_with_escapes(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise UnreadableUplink("the parameters are not UTF-8.") from error
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise UnreadableUplink("U+0000 cannot be stored.", code="forbidden-character")
    return pairs


def parameters_of(uplink: Uplink, *, repeatable: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the single parameters of query and form body together."""
    return single_values(all_parameters(uplink), repeatable=repeatable)


def single_values(
    sent: Mapping[str, list[str]], *, repeatable: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return the value of each parameter that may not repeat.

    Raises UnreadableUplink (`duplicate-key`) where one that must be single has two values.
    """
    single: dict[str, str] = {}
    for name, values in sent.items():
        if name in repeatable:
            continue
        if len(values) > 1 and any(value != values[0] for value in values):
            raise UnreadableUplink(f"{name[:64]!r} comes twice.", code="duplicate-key")
        single[name] = values[0].strip()
    return single


def all_parameters(uplink: Uplink) -> dict[str, list[str]]:
    """Return the parameters of the query, and of the body where it is a form."""
    found = parameters(uplink.query)
    if not uplink.body:
        return found
    try:
        body = uplink.body.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise UnreadableUplink("the form is not UTF-8.") from error
    if "=" in body:
        for name, values in parameters(body).items():
            found.setdefault(name, []).extend(values)
    return found


def value_of_text(text: str) -> Value:
    """Return the number, true or false that a text spells exactly; else the text."""
    if text in ("true", "false"):
        return text == "true"
    digits = text.removeprefix("-")
    is_integer = digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_EXACT_DIGITS
    if is_integer and (digits == "0" or not digits.startswith("0")):
        return int(text)
    found = number_of_text(text) if "." in text else None
    return text if found is None else found


def first_value(single: Mapping[str, str], *names: str) -> str | None:
    """Return the first of these parameters that is there and not empty."""
    for name in names:
        if value := single.get(name):
            return value
    return None
