"""The files generated from the live columns by `make schema`: a page and a console module."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from positions.live_columns import LIVE_COLUMNS, LiveColumn

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/live-protocol.md"
MODULE: Final = ROOT / "frontend/src/wire/live_columns.ts"
BEGIN: Final = "<!-- written by `make schema` from positions/live_columns.py -->\n\n"
END: Final = "\n<!-- until here -->\n"


def generated_texts() -> dict[Path, str]:
    """Return the contents of the generated files."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return {PAGE: f"{before}{BEGIN}{_table()}{END}{after}", MODULE: _module()}


def _table() -> str:
    rows = [("`id`", "", "the asset")]
    rows += [(f"`{column.name}`", column.unit, column.meaning) for column in LIVE_COLUMNS]
    lines = ["| Column | Unit | Meaning |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _module() -> str:
    names = "".join(
        f"  {column.name}: [{_quoted(column.choices)}],\n" for column in _of_kind("choice")
    )
    members = "".join(
        f"  /** {column.unit.replace('`', '')}: {column.meaning} */\n"
        f"  {column.name}: {_type(column)} | null;\n"
        for column in LIVE_COLUMNS
    )
    return f"""\
// Written by `make schema` from positions/live_columns.py: not to be edited.

/** Columns of integers that fit 32 bits, of ms since 1970, and of one name out of several. */
export const QUANTITIES = [{_columns("quantity")}] as const;
export const TIMES = [{_columns("time")}] as const;
export const CHOICES = [{_columns("choice")}] as const;
export type Quantity = (typeof QUANTITIES)[number];
export type Time = (typeof TIMES)[number];
export type Choice = (typeof CHOICES)[number];

export const NAMES = {{
{names}}} as const satisfies Record<Choice, readonly string[]>;
export type Named<C extends Choice> = (typeof NAMES)[C][number];

/** An asset as last reported; null is "not reported". */
export type LiveRow = {{
  id: number;
{members}}};
"""


def _of_kind(kind: str) -> list[LiveColumn]:
    return [column for column in LIVE_COLUMNS if column.kind == kind]


def _columns(kind: str) -> str:
    return _quoted(column.name for column in _of_kind(kind))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _type(column: LiveColumn) -> str:
    return f'Named<"{column.name}">' if column.choices else "number"
