"""`assets/{id}/state` and `states`: an asset's latest state, motion and geofences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from assets.models import Asset
from core.rest.bodies import StrictBody
from core.rest.filters import ObjectFilter
from core.time_texts import rfc3339
from geofence.models import Presence
from positions.live_columns import MOTIONS
from positions.position_queries import LatestRow, latest_of
from positions.serializers import FixSerializer

Document = dict[str, Any]


class StateFixSerializer(FixSerializer):
    at = serializers.DateTimeField(help_text="the newest fix; readings may be newer")


class StatePresenceSerializer(StrictBody, serializers.Serializer[Any]):
    geofence = serializers.IntegerField()
    name = serializers.CharField()
    since = serializers.DateTimeField(help_text="first sure fix inside")
    not_before = serializers.DateTimeField(allow_null=True, help_text="last sure fix outside")


class StateSerializer(StrictBody, serializers.Serializer[Any]):
    asset = serializers.IntegerField()
    measured_at = serializers.DateTimeField(allow_null=True, help_text="null: nothing received yet")
    received_at = serializers.DateTimeField(allow_null=True)
    fix = StateFixSerializer(allow_null=True)
    motion = serializers.ChoiceField(
        MOTIONS, allow_null=True, help_text="at the fix; null: unknown"
    )
    motion_since = serializers.DateTimeField(
        allow_null=True, help_text="since when it moves or rests; null where `motion` is"
    )
    estimated_speed_mps = serializers.FloatField(
        allow_null=True,
        help_text="between the last two fixes, where the device reports none; 0 at rest",
    )
    readings = serializers.DictField(help_text="the newest of each name")
    readings_at = serializers.DictField(child=serializers.DateTimeField())
    presence = StatePresenceSerializer(many=True)


class StateFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    geofence = ObjectFilter(method="inside", label="only assets inside of it")

    def inside(self, rows: QuerySet[Asset], name: str, geofence: int) -> QuerySet[Asset]:
        present = Presence.objects.visible_to(self.request.user).filter(
            geofence=geofence, geofence__deleted_at=None
        )
        return rows.filter(pk__in=present.values("asset_id"))


class StateView(GenericAPIView[Asset]):
    queryset = Asset.objects.none()
    serializer_class = StateSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(operation_id="assets_state")
    def get(self, request: Request, asset: int) -> Response:
        """Return the latest fix, the motion, the latest readings, and the geofences of an asset."""
        row = get_object_or_404(Asset.objects.visible_to(request.user), pk=asset)
        return Response(_documents([row.pk])[0])


class StatesView(GenericAPIView[Asset]):
    queryset = Asset.objects.none()
    serializer_class = StateSerializer
    filterset_class = StateFilter

    @extend_schema(operation_id="states_list", responses=StateSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the states of all assets that are not archived, the newest asset first."""
        assets = Asset.objects.visible_to(request.user).filter(archived_at=None)
        page = self.paginate_queryset(self.filter_queryset(assets))
        assert page is not None, "this list is paged"
        return self.get_paginated_response(_documents([asset.pk for asset in page]))


urls = [
    path("assets/<int:asset>/state/", StateView.as_view(), name="asset-state"),
    path("states/", StatesView.as_view(), name="states"),
]

_NOTHING = LatestRow()


def _documents(asset_ids: Sequence[int]) -> list[Document]:
    """Return the states in the order asked for, with two queries."""
    latest, presence = latest_of(asset_ids), _presence_of(asset_ids)
    return [
        _document(asset_id, latest.get(asset_id, _NOTHING), presence.get(asset_id, []))
        for asset_id in asset_ids
    ]


def _document(asset_id: int, latest: LatestRow, presence: list[Document]) -> Document:
    return {
        "asset": asset_id,
        "measured_at": latest.measured_at and rfc3339(latest.measured_at),
        "received_at": latest.received_at and rfc3339(latest.received_at),
        "fix": {**latest.fix, "at": rfc3339(latest.fix_at)} if latest.fix_at else None,
        "motion": latest.motion,
        "motion_since": latest.motion_since and rfc3339(latest.motion_since),
        "estimated_speed_mps": latest.estimated_speed_mps,
        "readings": latest.readings,
        "readings_at": {name: rfc3339(at) for name, at in latest.readings_at.items()},
        "presence": presence,
    }


def _presence_of(asset_ids: Iterable[int]) -> dict[int, list[Document]]:
    """Return, by asset, the geofences that it is in, without deleted geofences."""
    rows = Presence.objects.filter(asset_id__in=list(asset_ids), geofence__deleted_at=None)
    found: dict[int, list[Document]] = defaultdict(list)
    for row in rows.select_related("geofence").order_by("since", "pk"):
        found[row.asset_id].append(
            {
                "geofence": row.geofence_id,
                "name": row.geofence.name,
                "since": rfc3339(row.since),
                "not_before": row.not_before and rfc3339(row.not_before),
            }
        )
    return found
