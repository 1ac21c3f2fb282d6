"""`geofences/import` and `geofences/export`: files in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import Organisation
from accounts.roles import person_of
from core.errors import TooLarge, Unprocessable
from core.rest.bodies import StrictBody
from core.rest.fields import OperableField
from core.rest.geojson import GeoJSONRenderer
from geofence import limits
from geofence.api.geofence_rows import export_rows, publish_geofence_list
from geofence.exports import as_geojson, as_kml
from geofence.importing import ImportChoices, import_geofences
from geofence.imports import AssumedSizes, read_features
from geofence.imports.dbf_tables import encoding_named
from geofence.models import Geofence

# Bytes that multipart adds around a file of the largest size.
ENVELOPE_BYTES = 64 << 10
EXPORT_LIMIT = 10_000


class _FileParser(BaseParser):
    """The body is the file; its format is recognised by its content."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, bytes]:
        return {"file": stream.read(limits.IMPORT_PACKED_BYTES + 1)}


class JSONFileParser(_FileParser):
    media_type = "application/json"


class XMLFileParser(_FileParser):
    media_type = "application/xml"


class TextXMLFileParser(_FileParser):
    media_type = "text/xml"


class GeoJSONFileParser(_FileParser):
    media_type = "application/geo+json"


class KMLFileParser(_FileParser):
    media_type = "application/vnd.google-earth.kml+xml"


class KMZFileParser(_FileParser):
    media_type = "application/vnd.google-earth.kmz"


class GPXFileParser(_FileParser):
    media_type = "application/gpx+xml"


class ZipFileParser(_FileParser):
    media_type = "application/zip"


class BytesFileParser(_FileParser):
    media_type = "application/octet-stream"


class KMLRenderer(BaseRenderer):
    media_type = "application/vnd.google-earth.kml+xml"
    format = "kml"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return as_kml(data)


class ExportGeoJSONRenderer(GeoJSONRenderer):
    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        collection = as_geojson(data)
        return bytes(super().render(collection, accepted_media_type, renderer_context))


class EncodingField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        label = super().to_internal_value(data)
        name = encoding_named(label)
        if name is None:
            raise serializers.ValidationError("No encoding of this name.", code="invalid")
        return name


class ImportInput(StrictBody, serializers.Serializer[Any]):
    """Options of an import, as form fields beside the file or as query parameters."""

    organisation = OperableField(queryset=Organisation.objects.all())
    dry_run = serializers.BooleanField(default=False)
    simplify = serializers.BooleanField(
        default=False, help_text="simplify a shape that has too many points or rings"
    )
    dissolve = serializers.BooleanField(
        default=False, help_text="join parts of a shape that overlap or share an edge"
    )
    skip_refused = serializers.BooleanField(
        default=False, help_text="import the other features where some are refused"
    )
    on_taken_name = serializers.ChoiceField(
        ["refuse", "rename", "replace"],
        default="refuse",
        help_text="for a feature whose name a geofence has: refuse it, give it another name, or "
        "make it the new version of that geofence",
    )
    encoding = EncodingField(
        required=False, help_text="of the texts of a shapefile, such as windows-1251"
    )
    corridor_width_m = serializers.FloatField(
        required=False, help_text="of lines without a width of their own"
    )
    point_radius_m = serializers.FloatField(
        required=False, help_text="of points without a radius of their own"
    )


class ImportFile(ImportInput):
    file = serializers.FileField()


class NoteRow(StrictBody, serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ImportedRow(StrictBody, serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="position in the file")
    name = serializers.CharField()
    outcome = serializers.ChoiceField(
        ["created", "replaced", "unchanged", "acceptable", "skipped", "refused"]
    )
    geofence = serializers.IntegerField(allow_null=True)
    code = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    points = serializers.IntegerField(help_text="of the area that is judged")
    tolerance_m = serializers.FloatField(
        allow_null=True, help_text="if simplified: no point drawn is further from the new line"
    )
    notes = NoteRow(many=True, help_text="what was changed or left out")


class ImportReport(StrictBody, serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    created = serializers.IntegerField()
    replaced = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="nothing to draw")
    refused = serializers.IntegerField()
    features = ImportedRow(many=True)


class ExportedFeatures(StrictBody, serializers.Serializer[Any]):
    """GeoJSON (RFC 7946) that an import reads again; `properties.shape` is the shape as drawn."""

    type = serializers.ChoiceField(["FeatureCollection"])
    features = serializers.ListField(
        child=serializers.DictField(), help_text="a Feature for each geofence"
    )


class ImportMixin(GenericViewSet[Geofence]):
    @extend_schema(
        request={
            "multipart/form-data": ImportFile,
            **dict.fromkeys(
                (
                    GeoJSONFileParser.media_type,
                    JSONFileParser.media_type,
                    KMLFileParser.media_type,
                    KMZFileParser.media_type,
                    GPXFileParser.media_type,
                    ZipFileParser.media_type,
                    BytesFileParser.media_type,
                ),
                OpenApiTypes.BINARY,
            ),
        },
        parameters=[
            OpenApiParameter("organisation", int, description="unless in the form"),
            OpenApiParameter("dry_run", bool),
            OpenApiParameter("simplify", bool),
            OpenApiParameter("dissolve", bool),
            OpenApiParameter("skip_refused", bool),
            OpenApiParameter("on_taken_name", enum=["refuse", "rename", "replace"]),
            OpenApiParameter("encoding", str, description="of the texts of a shapefile"),
            OpenApiParameter("corridor_width_m", float, description="of lines without their own"),
            OpenApiParameter("point_radius_m", float, description="of points without their own"),
        ],
        responses={200: ImportReport, 201: ImportReport},
        filters=False,
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="import",
        filter_backends=[],
        parser_classes=[
            MultiPartParser,
            GeoJSONFileParser,
            JSONFileParser,
            XMLFileParser,
            TextXMLFileParser,
            KMLFileParser,
            KMZFileParser,
            GPXFileParser,
            ZipFileParser,
            BytesFileParser,
        ],
        renderer_classes=[JSONRenderer],
    )
    def import_file(self, request: Request) -> Response:
        """Draw all geofences of a file, or none: a refused geofence stops the import.

        GeoJSON, KML, KMZ, GPX or a zipped shapefile. Lines become corridors and points
        circles, with their own width and radius or those given. Features with nothing to draw
        are skipped, with `skip_refused` refused ones, too. A dry run reports and stores nothing.
        """
        body = _file_of(request)
        given = ImportInput(
            data={**_parameters_of(request), **_fields_of(request)},
            context=self.get_serializer_context(),
        )
        given.is_valid(raise_exception=True)
        options = given.validated_data
        assumed = AssumedSizes(
            corridor_width_m=options.get("corridor_width_m"),
            point_radius_m=options.get("point_radius_m"),
        )
        report = import_geofences(
            organisation=options["organisation"],
            features=read_features(body, assumed, options.get("encoding")),
            choices=ImportChoices(
                is_dry_run=options["dry_run"],
                is_simplifying=options["simplify"],
                is_dissolving=options["dissolve"],
                is_skipping_refused=options["skip_refused"],
                taken=options["on_taken_name"],
            ),
            by=person_of(request),
        )
        if not report.dry_run:
            publish_geofence_list(options["organisation"].pk)
        done = status.HTTP_200_OK if report.dry_run else status.HTTP_201_CREATED
        return Response(ImportReport(report).data, status=done)


class ExportMixin(GenericViewSet[Geofence]):
    @extend_schema(
        filters=True,
        parameters=[OpenApiParameter("format", enum=["geojson", "kml"])],
        responses={
            (200, GeoJSONRenderer.media_type): ExportedFeatures,
            (200, KMLRenderer.media_type): OpenApiTypes.BINARY,
        },
    )
    @action(
        detail=False,
        methods=["get"],
        pagination_class=None,
        renderer_classes=[ExportGeoJSONRenderer, KMLRenderer],
    )
    def export(self, request: Request) -> Response:
        """All geofences of the filter in a file, which also holds the shapes as drawn."""
        found: QuerySet[Geofence] = self.filter_queryset(self.get_queryset())
        rows = export_rows(found.order_by("pk")[: EXPORT_LIMIT + 1])
        if len(rows) > EXPORT_LIMIT:
            raise TooLarge(f"More than {EXPORT_LIMIT} geofences; narrow the filter.")
        renderer: Any = request.accepted_renderer
        disposition = f'attachment; filename="geofences.{renderer.format}"'
        return Response(rows, headers={"Content-Disposition": disposition})


def _file_of(request: Request) -> bytes:
    declared = str(request.META.get("CONTENT_LENGTH") or "")
    if declared.isdecimal() and int(declared) > limits.IMPORT_PACKED_BYTES + ENVELOPE_BYTES:
        raise TooLarge(f"At most {limits.IMPORT_PACKED_BYTES} bytes are imported at once.")
    sent = request.data.get("file") if isinstance(request.data, Mapping) else None
    if isinstance(sent, bytes):
        return sent
    if sent is None or not hasattr(sent, "read"):
        raise Unprocessable("Send the file as `file`, or as the body.", code="import-unreadable")
    return bytes(sent.read(limits.IMPORT_PACKED_BYTES + 1))


def _parameters_of(request: Request) -> dict[str, Any]:
    return {name: value for name, value in request.query_params.items() if name != "format"}


def _fields_of(request: Request) -> dict[str, Any]:
    sent: Any = request.data
    return {name: value for name, value in sent.items() if name != "file"}
