"""The REST API of rules, alerts and notifications: parse, permit, call one action, render."""

from __future__ import annotations

from functools import partial
from typing import cast

import django_filters
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from alerts import actions, outbox
from alerts.models import Alert, AlertChange, Notification, NotificationAttempt, Rule, RuleVersion
from alerts.nudging import nudge
from alerts.serializers import (
    AlertSerializer,
    ExplanationSerializer,
    NotificationSerializer,
    RuleSerializer,
)
from alerts.stream import NAMED
from core import broadcast
from core.rest.cursor_pages import NewestFirst
from core.rest.permissions import MayOperate
from geofence.models import Correction

METHODS = ["get", "post", "patch", "delete", "head", "options"]


def register(router: BaseRouter) -> None:
    """Add the routes of this app."""
    router.register("rules", RuleViewSet, basename="rule")
    router.register("alerts", AlertViewSet, basename="alert")
    router.register("notifications", NotificationViewSet, basename="notification")


class RuleFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = django_filters.NumberFilter()
    geofence = django_filters.NumberFilter(method="now_about")

    def now_about(self, rows: QuerySet[Rule], name: str, geofence: int) -> QuerySet[Rule]:
        return rows.filter(versions__geofence=geofence, versions__valid_to=None)


class RuleViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[Rule],
):
    """PATCH begins a new version from now on; DELETE retires the rule, its alerts stay."""

    queryset = Rule.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = RuleSerializer
    filterset_class = RuleFilter

    def get_queryset(self) -> QuerySet[Rule]:
        current = Prefetch(
            "versions", RuleVersion.objects.filter(valid_to=None), to_attr="current_version"
        )
        rules = Rule.objects.visible_to(self.request.user).filter(retired_at=None)
        return rules.prefetch_related(current)

    def perform_create(self, serializer: BaseSerializer[Rule]) -> None:
        rule = actions.add_rule(**serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=rule.pk)

    def perform_update(self, serializer: BaseSerializer[Rule]) -> None:
        asked = {k: v for k, v in serializer.validated_data.items() if k != "organisation"}
        rule = actions.change_rule(rule=cast("Rule", serializer.instance), **asked)
        serializer.instance = self.get_queryset().get(pk=rule.pk)

    def perform_destroy(self, instance: Rule) -> None:
        actions.retire_rule(rule=instance)


class AlertFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = django_filters.NumberFilter()
    state = django_filters.ChoiceFilter(choices=Alert.State.choices)
    asset = django_filters.NumberFilter()
    rule = django_filters.NumberFilter()
    geofence = django_filters.NumberFilter()
    number_after = django_filters.NumberFilter(field_name="number", lookup_expr="gt")


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Alert]):
    queryset = Alert.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = AlertSerializer
    filterset_class = AlertFilter

    def get_queryset(self) -> QuerySet[Alert]:
        return Alert.objects.visible_to(self.request.user).select_related(*NAMED)

    @extend_schema(request=None, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you look after it. Where somebody did already, the answer names them."""
        alert = self.get_object()
        if actions.acknowledge_alert(alert=alert, user=cast("User", request.user)):
            changed = broadcast.Alerted(organisation_id=alert.organisation_id, number=alert.number)
            transaction.on_commit(partial(broadcast.publish, [changed]))
        return Response(self.get_serializer(alert).data)

    @extend_schema(responses=ExplanationSerializer)
    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Response:
        """Why it stands as it does: the crossing, the rule as it held then, and each change."""
        explained = (
            self.get_queryset()
            .select_related(*NAMED, "crossing")
            .prefetch_related(
                Prefetch("changes", AlertChange.objects.order_by("number")),
                Prefetch("crossing__corrections", Correction.objects.order_by("pk")),
            )
        )
        alert = explained.get(pk=self.get_object().pk)
        return Response(ExplanationSerializer(alert, context=self.get_serializer_context()).data)


class NotificationsNewestFirst(NewestFirst):
    ordering = ("-created_at", "-id")  # type: ignore[assignment]


class NotificationFilter(django_filters.FilterSet):  # type: ignore[misc]
    alert = django_filters.NumberFilter()
    state = django_filters.ChoiceFilter(choices=Notification.State.choices)


class NotificationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Notification]
):
    queryset = Notification.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    pagination_class = NotificationsNewestFirst

    def get_queryset(self) -> QuerySet[Notification]:
        tries = Prefetch("tries", NotificationAttempt.objects.order_by("number"))
        return Notification.objects.visible_to(self.request.user).prefetch_related(tries)

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        """Try once more, now."""
        notification = outbox.resend_notification(notification=self.get_object())
        transaction.on_commit(partial(nudge, [notification.pk]))
        return Response(self.get_serializer(notification).data)
