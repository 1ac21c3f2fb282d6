"""The REST door: positions by people and integrators, with their own token or session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, get_args

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.routers import BaseRouter

from accounts.models import Organisation
from assets.device_registry import Origin
from core.errors import Fault, Forbidden, Refused, TooLarge, UnsupportedMediaType
from core.observation import Method
from core.rest.bodies import StrictBody
from positions import api as positions
from positions.position_pages import MAX_ID
from tracker.ingest.receipt_serializers import ReceiptSerializer
from tracker.ingest.replies import reply_of
from tracker.ingest.uplink_api import ReplayableUplinkViewSet
from tracker.intake.synchronous_intake import receive_synchronously
from wire.registry import FORMATS
from wire.uplink import Uplink

OWN_JSON = FORMATS["json"]


@extend_schema_field(
    {
        "type": "object",
        "nullable": True,
        "additionalProperties": {
            "nullable": True,
            "anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}],
        },
    }
)
class ReadingsField(serializers.DictField):
    pass


class ObservationSerializer(StrictBody, serializers.Serializer[Any]):
    """Our own JSON, as the OpenAPI document describes it; `wire.formats.own_json` reads it."""

    device = serializers.CharField(help_text="identifier")
    measured_at = serializers.DateTimeField(help_text="RFC 3339 with Z or an offset")
    reported_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="when the message was made, where that is another time",
    )
    lat = serializers.FloatField(required=False, allow_null=True, min_value=-90, max_value=90)
    lon = serializers.FloatField(required=False, allow_null=True, min_value=-180, max_value=180)
    altitude_m = serializers.FloatField(required=False, allow_null=True)
    accuracy_m = serializers.FloatField(required=False, allow_null=True, min_value=0)
    speed_mps = serializers.FloatField(required=False, allow_null=True, min_value=0)
    course_deg = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=360)
    method = serializers.ChoiceField(get_args(Method), required=False, allow_null=True)
    event_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    readings = ReadingsField(required=False)


class OrganisationQuery(StrictBody, serializers.Serializer[Any]):
    organisation = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_ID, help_text="by default your only one"
    )


class RawJSONParser(BaseParser):
    """Returns the raw bytes: the wire format parses them more strictly."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(settings.BODY_LIMIT_BYTES + 1)
        if len(body) > settings.BODY_LIMIT_BYTES:
            raise TooLarge(f"At most {settings.BODY_LIMIT_BYTES} bytes are read here.")
        return body


class PositionViewSet(positions.PositionListViewSet):
    parser_classes = (RawJSONParser,)

    @extend_schema(
        parameters=[OrganisationQuery],
        request=ObservationSerializer(many=True),
        responses={(code, "application/json"): ReceiptSerializer for code in (200, 202)},
    )
    def create(self, request: Request) -> HttpResponse:
        """Store one observation, or a list of up to 1,000, in our own JSON.

        The receipt comes when they are durable and has the outcome of each. If all were refused,
        the answer is a 422 with the reasons.
        """
        organisation = _organisation(request)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Packed bodies are read at the hot door only.")
        body = request.data if isinstance(request.data, bytes) else b""
        uplink = Uplink(received_at=timezone.now(), body=body, content_type="application/json")
        receipt = receive_synchronously(uplink, Origin(organisation_id=organisation.pk), OWN_JSON)
        reply = reply_of(receipt, OWN_JSON)
        return HttpResponse(reply.body, status=reply.status, content_type="application/json")


def register(router: BaseRouter) -> None:
    """Add the routes of this door."""
    router.register("positions", PositionViewSet, basename="position")
    router.register("uplinks", ReplayableUplinkViewSet, basename="uplink")


def _organisation(request: Request) -> Organisation:
    """Return the organisation of the query, or else the only organisation of the user."""
    asked = OrganisationQuery(data=request.query_params)
    if not asked.is_valid():
        raise _organisation_error("organisation is the id of one.")
    mine = Organisation.objects.visible_to(request.user)
    organisation_id = asked.validated_data.get("organisation")
    if organisation_id is None:
        organisation = _only_organisation(request.user, mine)
    else:
        organisation = get_object_or_404(mine, pk=organisation_id)
    operable = Organisation.objects.operable_by(request.user)
    if not operable.filter(pk=organisation.pk).exists():
        raise Forbidden("Owners and operators report positions.")
    return organisation


def _only_organisation(user: Any, mine: Any) -> Organisation:
    few = [] if user.is_provider else list(mine.order_by("pk")[:2])
    if len(few) != 1:
        raise _organisation_error("Name the organisation.")
    organisation: Organisation = few[0]
    return organisation


def _organisation_error(detail: str) -> Refused:
    fault = Fault(pointer="/query/organisation", code="required", detail=detail)
    return Refused(detail, code="invalid-parameter", faults=(fault,))
