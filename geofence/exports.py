"""Geofences as files for other programs: GeoJSON and KML.

Both carry the judged area, for other programs, and the shape as drawn with the options, for our
own import: an exported circle is imported as a circle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from core.rest.geojson import feature, feature_collection
from geofence.imports.own_exports import OWN_NAMES

KML = "http://www.opengis.net/kml/2.2"
Row = dict[str, Any]


def as_geojson(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the FeatureCollection of rows with `id`, `geometry` and properties."""
    return feature_collection(
        feature(
            feature_id=row["id"],
            geometry=row["geometry"],
            properties={key: row[key] for key in row if key not in ("id", "geometry")},
        )
        for row in rows
    )


def as_kml(rows: Iterable[Row]) -> bytes:
    """Return a KML document of rows with `name`, `geometry` and our own members."""
    ElementTree.register_namespace("", KML)
    root = Element(f"{{{KML}}}kml")
    document = SubElement(root, f"{{{KML}}}Document")
    for row in rows:
        _placemark(document, row)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _placemark(document: Element, row: Row) -> None:
    placemark = SubElement(document, f"{{{KML}}}Placemark")
    SubElement(placemark, f"{{{KML}}}name").text = row["name"]
    style = SubElement(placemark, f"{{{KML}}}Style")
    line = SubElement(style, f"{{{KML}}}LineStyle")
    SubElement(line, f"{{{KML}}}color").text = _kml_colour(row["colour"], "ff")
    fill = SubElement(style, f"{{{KML}}}PolyStyle")
    SubElement(fill, f"{{{KML}}}color").text = _kml_colour(row["colour"], "40")
    extended = SubElement(placemark, f"{{{KML}}}ExtendedData")
    for name in OWN_NAMES:
        data = SubElement(extended, f"{{{KML}}}Data", name=name)
        text = row[name] if name == "colour" else json.dumps(row[name])
        SubElement(data, f"{{{KML}}}value").text = text
    geometry = SubElement(placemark, f"{{{KML}}}MultiGeometry")
    for rings in row["geometry"]["coordinates"]:
        _polygon(geometry, rings)


def _polygon(geometry: Element, rings: Any) -> None:
    polygon = SubElement(geometry, f"{{{KML}}}Polygon")
    for index, ring in enumerate(rings):
        boundary = "innerBoundaryIs" if index else "outerBoundaryIs"
        outline = SubElement(SubElement(polygon, f"{{{KML}}}{boundary}"), f"{{{KML}}}LinearRing")
        words = (f"{lon!r},{lat!r}" for lon, lat in ring)
        SubElement(outline, f"{{{KML}}}coordinates").text = " ".join(words)


def _kml_colour(colour: str, opacity: str) -> str:
    """Return the colour in KML's order: opacity, blue, green, red."""
    return f"{opacity}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()
