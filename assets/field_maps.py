"""Field maps of devices, between their JSON and the rules by which payloads are decoded."""

from __future__ import annotations

from typing import Any

import msgspec

from wire.device_model import FieldRule
from wire.payloads.field_rules import MAX_RULES, problem_of


def rules_of_json(value: Any) -> tuple[FieldRule, ...]:
    """Return the rules of a field map; raises ValueError, in words for its author, for no such."""
    try:
        rules = msgspec.convert(value, tuple[FieldRule, ...])
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if len(rules) > MAX_RULES:
        raise ValueError(f"at most {MAX_RULES} rules")
    for place, rule in enumerate(rules):
        problem = problem_of(rule)
        if any(rule.member == other.member for other in rules[:place]):
            problem = f"{rule.member!r} has two rules"
        if problem:
            raise ValueError(f"rule {place + 1}: {problem}")
    return rules


def json_of_rules(rules: tuple[FieldRule, ...]) -> list[dict[str, Any]]:
    """Return a field map as it is stored, without what is left out."""
    built: list[dict[str, Any]] = msgspec.to_builtins(rules)
    return built
