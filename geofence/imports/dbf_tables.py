"""The table of a shapefile: its header as writers leave it, and the encoding of its texts.

A .dbf names its encoding in a byte, a .cpg beside it in words; many have neither, or the wrong
one. Texts are read as bytes first, and the encoding is chosen by what they are.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterable

from msgspec import Struct

# The language byte of dBASE and FoxPro, see the driver of GDAL and the manual of FoxPro.
CODE_PAGES = {
    **dict.fromkeys((0x01, 0x09, 0x0B, 0x0D, 0x0F, 0x11, 0x15, 0x18, 0x19, 0x1B), "cp437"),
    **dict.fromkeys((0x02, 0x08, 0x0A, 0x0E, 0x10, 0x12, 0x14, 0x16, 0x1A, 0x1D, 0x25), "cp850"),
    0x37: "cp850",
    **dict.fromkeys((0x03, 0x58, 0x59), "cp1252"),
    0x04: "mac_roman",
    0x13: "cp932",
    0x1C: "cp863",
    0x1F: "cp852",
    **dict.fromkeys((0x22, 0x23, 0x40, 0x64, 0x87), "cp852"),
    0x24: "cp860",
    0x26: "cp866",
    0x4D: "cp936",
    0x4E: "cp949",
    0x4F: "cp950",
    0x50: "cp874",
    0x65: "cp866",
    0x66: "cp865",
    0x67: "cp861",
    0x6A: "cp737",
    0x6B: "cp857",
    0x6C: "cp863",
    0x78: "cp950",
    0x79: "cp949",
    0x7A: "cp936",
    0x7B: "cp932",
    0x7C: "cp874",
    0x86: "cp737",
    0x88: "cp857",
    0x96: "mac_cyrillic",
    0x97: "mac_latin2",
    0x98: "mac_greek",
    0xC8: "cp1250",
    0xC9: "cp1251",
    0xCA: "cp1254",
    0xCB: "cp1253",
    0xCC: "cp1257",
    0xF1: "utf_8",
}
# Where nothing says better: the code page of Western Windows, in which every byte is a letter.
USUAL = "cp1252"
WINDOWS = re.compile(r"(?:ANSI|OEM|CP|MS|WINDOWS|IBM|DOS)?[ _-]*(\d{3,4})")
ISO = re.compile(r"(?:ISO)?[ _-]*8859[ _-]*(\d{1,2})")
LANGUAGE = re.compile(r"LDID[ /]*(\d{1,3})")


class TextEncoding(Struct, frozen=True, kw_only=True):
    """The encoding of the texts of a table; `doubt` is the reason why it may be wrong."""

    name: str
    doubt: str = ""

    def text_of(self, value: str) -> str:
        """Return the text of a value that was read as bytes."""
        return _bytes_of(value).decode(self.name, "replace").strip("\0 ")


def encoding_named(label: str) -> str | None:
    """Return the encoding that a .cpg or a person names, such as `ANSI 1251` or `Big-5`."""
    plain = label.strip().upper()
    if found := LANGUAGE.fullmatch(plain):
        return CODE_PAGES.get(int(found[1]))
    names = [plain, plain.replace(" ", ""), plain.replace("-", ""), plain.replace("_", "")]
    if found := ISO.fullmatch(plain):
        names.insert(0, f"ISO8859-{found[1]}")
    elif found := WINDOWS.fullmatch(plain):
        names.insert(0, f"CP{found[1]}")
    for name in names:
        try:
            info = codecs.lookup(name)
        except (LookupError, ValueError):
            continue
        # `rot13` and `zip` are codecs of Python, too, and no encodings of texts.
        if info._is_text_encoding:
            return info.name
    return None


def encoding_of(dbf: bytes, cpg: bytes, chosen: str | None, values: Iterable[str]) -> TextEncoding:
    """Return the encoding of the values, which were read as bytes."""
    texts = [raw for value in values if not (raw := _bytes_of(value)).isascii()]
    if chosen is not None:
        doubt = "" if _fits(chosen, texts) else f"Not all texts are {chosen}."
        return TextEncoding(name=chosen, doubt=doubt)
    if not texts:
        return TextEncoding(name="utf_8")
    label = cpg[:64].decode("ascii", "replace").strip("\0\r\n\t \ufeff")
    named = encoding_named(label) if label else None
    # 0x57 is the code page of whatever machine wrote it.
    by_byte = CODE_PAGES.get(dbf[29]) if len(dbf) > 29 else None
    for name in (named, by_byte):
        if name and _fits(name, texts):
            return TextEncoding(name=name)
    reason = f"{label[:20]!r} in the .cpg does not fit" if label else "The file does not name it"
    if _fits("utf_8", texts):
        # Other texts hardly ever are UTF-8 by chance.
        return TextEncoding(name="utf_8")
    return TextEncoding(name=USUAL, doubt=f"{reason}.")


def _fits(name: str, texts: list[bytes]) -> bool:
    """Return whether the texts are in the encoding; a field may cut the last letter in two."""
    decoder = codecs.getincrementaldecoder(name)
    try:
        return all(decoder().decode(text) is not None for text in texts)
    except (UnicodeError, LookupError):
        return False


def _bytes_of(value: str) -> bytes:
    return value.encode("ascii", "surrogateescape")


def with_plain_header(dbf: bytes) -> bytes:
    """Return the table with the header that dBASE III writes: fields, and a terminator.

    Some writers leave out the terminator, and FoxPro writes more after it.
    """
    if len(dbf) < 33:
        return dbf
    length = struct.unpack_from("<H", dbf, 8)[0]
    end = 32
    while end + 32 <= min(length, len(dbf)) and dbf[end] != 0x0D:
        end += 32
    if length == end + 1 and dbf[end : end + 1] == b"\r":
        return dbf
    header = bytearray(dbf[:end])
    struct.pack_into("<H", header, 8, end + 1)
    return bytes(header) + b"\r" + dbf[length:]
