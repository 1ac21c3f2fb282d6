"""Zip archives: KMZ and shapefiles. Read member by member, in memory, with every size counted."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from core.errors import TooLarge, Unprocessable
from geofence import limits
from geofence.imports import kml_and_gpx, shapefiles
from geofence.imports.found_shapes import AssumedSizes, FoundShape, blank, refused

ENTRY_SIGNATURE = b"PK\x01\x02"
PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
CHUNK_BYTES = 64 << 10


def is_zip(body: bytes) -> bool:
    return body[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def features(
    body: bytes, assumed: AssumedSizes, encoding: str | None = None
) -> Iterator[FoundShape]:
    """Yield the shapes of a KMZ or a zipped shapefile, whose texts are in `encoding` if given."""
    # Counted in the bytes, since merely listing a hundred thousand members costs much memory.
    if body.count(ENTRY_SIGNATURE) > limits.IMPORT_MEMBERS:
        raise TooLarge(
            f"More than {limits.IMPORT_MEMBERS} members in the archive.", code="archive-too-large"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            yield from _features(_Members(archive), assumed, encoding)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
    ) as error:
        raise Unprocessable("The archive cannot be read.", code="import-unreadable") from error


def _features(
    members: _Members, assumed: AssumedSizes, encoding: str | None
) -> Iterator[FoundShape]:
    shapes = members.with_suffix(".shp")
    if shapes:
        for name in shapes:
            yield from _layer(members, name, assumed, encoding, is_only=len(shapes) == 1)
        return
    documents = members.with_suffix(".kml")
    if not documents:
        raise Unprocessable("The archive holds no .kml and no .shp.", code="import-unreadable")
    yield from _documents(members, documents, assumed)


def _layer(
    members: _Members, name: str, assumed: AssumedSizes, encoding: str | None, *, is_only: bool
) -> Iterator[FoundShape]:
    """Yield the shapes of a shapefile; an unreadable one of several is one refused feature."""
    try:
        yield from shapefiles.features(members.beside(name), assumed, encoding)
    except Unprocessable as error:
        if is_only:
            raise
        yield refused(name, error.code, error.detail)


def _documents(
    members: _Members, documents: list[str], assumed: AssumedSizes
) -> Iterator[FoundShape]:
    """Yield the shapes of the main document, which is the first, and of those that it links."""
    seen: set[str] = set()

    def follow(address: str, base: str) -> Iterator[FoundShape] | None:
        name = members.linked(address, base)
        if name is None or not name.lower().endswith(".kml"):
            return None
        return iter(()) if name in seen else read(name)

    def read(name: str) -> Iterator[FoundShape]:
        seen.add(name)
        opened = partial(follow, base=name)
        return kml_and_gpx.features(members.read(name), assumed, opened)

    yield from read(documents[0])
    for name in documents:
        if name not in seen:
            detail = f"{name} is not linked from {documents[0]}, and is not read."
            yield blank(name, detail)


class _Members:
    """The members of an archive whose names and declared sizes are harmless."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = limits.IMPORT_UNPACKED_BYTES
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            if _is_of_a_mac(info.filename):
                continue
            _require_harmless(info)
            self._infos.setdefault(info.filename, info)
        if sum(info.file_size for info in self._infos.values()) > limits.IMPORT_UNPACKED_BYTES:
            _refuse_size()

    def with_suffix(self, suffix: str) -> list[str]:
        return [name for name in self._infos if name.lower().endswith(suffix)]

    def linked(self, address: str, base: str) -> str | None:
        """Return the member that a document at `base` refers to, or None if it is no member."""
        path = unquote(urlsplit(address).path)
        if not path or urlsplit(address).scheme or urlsplit(address).netloc:
            return None
        name = posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
        return name if name in self._infos else None

    def beside(self, name: str) -> dict[str, bytes]:
        """Return the members with the same stem as `name`, by suffix in lower case."""
        stem = name[: -len(PurePosixPath(name).suffix)].lower()
        parts: dict[str, bytes] = {}
        for other in self._infos:
            suffix = PurePosixPath(other).suffix.lower()
            if suffix in shapefiles.SUFFIXES and other[: -len(suffix)].lower() == stem:
                parts[suffix] = self.read(other)
        return parts

    def read(self, name: str) -> bytes:
        """Return the bytes of a member. Raises `TooLarge` as soon as the limit is exceeded."""
        unpacked = bytearray()
        with self._archive.open(self._infos[name]) as member:
            while chunk := member.read(CHUNK_BYTES):
                self._left -= len(chunk)
                if self._left < 0:
                    _refuse_size()
                unpacked += chunk
        return bytes(unpacked)


def _is_of_a_mac(name: str) -> bool:
    """Return whether a Mac keeps its own notes about a file there, under nearly the same name."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "__MACOSX" in path.parts or path.name.startswith("._")


def _require_harmless(info: zipfile.ZipInfo) -> None:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    has_drive = ":" in path.parts[0] if path.parts else False
    if path.is_absolute() or ".." in path.parts or has_drive:
        raise Unprocessable(
            "The archive names a member outside of itself.", code="import-unreadable"
        )
    if info.flag_bits & 0x1 or info.compress_type not in PLAIN_METHODS:
        raise Unprocessable(
            "Encrypted or unusually packed members are refused.", code="import-unreadable"
        )
    if info.file_size > limits.IMPORT_RATIO * max(info.compress_size, 1024):
        _refuse_size()


def _refuse_size() -> NoReturn:
    most = limits.IMPORT_UNPACKED_BYTES >> 20
    raise TooLarge(f"The archive unpacks to more than {most} MiB.", code="archive-too-large")
