"""The REST API of rules, recipients and alerts: parse, permit, call one action, render."""

from __future__ import annotations

from functools import partial
from typing import cast

import django_filters
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from alerts import actions
from alerts.models import Alert, AlertChange, AlertNotification, Recipient, Rule, RuleVersion
from alerts.serializers import (
    AlertSerializer,
    ExplanationSerializer,
    NotificationSerializer,
    RecipientSerializer,
    RuleSerializer,
)
from alerts.stream import RELATED
from core import broadcast
from core.rest.cursor_pages import NewestFirst
from core.rest.filters import BooleanFilter, ObjectFilter, OrganisationFilter
from core.rest.permissions import MayOperate
from core.rest.updates import changes_of, row_to_update
from geofence.models import Correction
from outbox.actions import resend_notification
from outbox.models import Notification, NotificationAttempt
from outbox.nudging import nudge

METHODS = ["get", "post", "patch", "delete", "head", "options"]


def register(router: BaseRouter) -> None:
    """Add the routes of this app."""
    router.register("rules", RuleViewSet, basename="rule")
    router.register("recipients", RecipientViewSet, basename="recipient")
    router.register("alerts", AlertViewSet, basename="alert")
    router.register("notifications", NotificationViewSet, basename="notification")


class RuleFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    geofence = ObjectFilter(method="now_about")

    def now_about(self, rows: QuerySet[Rule], name: str, geofence: int) -> QuerySet[Rule]:
        return rows.filter(versions__geofence=geofence, versions__valid_to=None)


@extend_schema_view(destroy=extend_schema(summary="Retire a rule"))
class RuleViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[Rule],
):
    """PATCH begins a new version from now on; DELETE retires the rule, and its alerts stay."""

    queryset = Rule.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = RuleSerializer
    filterset_class = RuleFilter

    def get_queryset(self) -> QuerySet[Rule]:
        versions = RuleVersion.objects.filter(valid_to=None).with_addresses()
        current = Prefetch("versions", versions, to_attr="current_version")
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


class RecipientFilter(OrganisationFilter):
    is_active = BooleanFilter()


class RecipientViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    GenericViewSet[Recipient],
):
    """PATCH changes the name, and switches a recipient off and on; the address stays."""

    queryset = Recipient.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = RecipientSerializer
    filterset_class = RecipientFilter

    def get_queryset(self) -> QuerySet[Recipient]:
        return Recipient.objects.visible_to(self.request.user)

    def perform_create(self, serializer: BaseSerializer[Recipient]) -> None:
        serializer.instance = actions.add_recipient(**serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Recipient]) -> None:
        serializer.instance = actions.change_recipient(
            recipient=row_to_update(serializer), **changes_of(serializer, "organisation", "address")
        )


class AlertFilter(django_filters.FilterSet):  # type: ignore[misc]
    organisation = ObjectFilter()
    state = django_filters.ChoiceFilter(choices=Alert.State.choices)
    asset = ObjectFilter()
    rule = ObjectFilter()
    geofence = ObjectFilter()
    number_after = ObjectFilter(field_name="number", lookup_expr="gt")


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Alert]):
    queryset = Alert.objects.none()
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = AlertSerializer
    filterset_class = AlertFilter

    def get_queryset(self) -> QuerySet[Alert]:
        return Alert.objects.visible_to(self.request.user).select_related(*RELATED)

    @extend_schema(request=None, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Acknowledge an alert. The answer names the person who did so first."""
        alert = self.get_object()
        if actions.acknowledge_alert(alert=alert, user=cast("User", request.user)):
            changed = broadcast.Alerted(organisation_id=alert.organisation_id, number=alert.number)
            transaction.on_commit(partial(broadcast.publish, [changed]))
        return Response(self.get_serializer(alert).data)

    @extend_schema(responses=ExplanationSerializer)
    @action(detail=True)
    def explain(self, request: Request, pk: str) -> Response:
        """Explain an alert: the crossing, the version of the rule, and each change."""
        explained = (
            self.get_queryset()
            .select_related(*RELATED, "crossing")
            .prefetch_related(
                Prefetch("changes", AlertChange.objects.order_by("number")),
                Prefetch("crossing__corrections", Correction.objects.order_by("pk")),
            )
        )
        alert = explained.get(pk=self.get_object().pk)
        alert.rule_version = RuleVersion.objects.with_addresses().get(pk=alert.rule_version_id)
        return Response(ExplanationSerializer(alert, context=self.get_serializer_context()).data)


class NotificationsNewestFirst(NewestFirst):
    ordering = ("-change_id", "-pk")  # type: ignore[assignment]


class NotificationFilter(django_filters.FilterSet):  # type: ignore[misc]
    alert = ObjectFilter()
    state = django_filters.ChoiceFilter(
        field_name="notification__state", choices=Notification.State.choices
    )


class NotificationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[AlertNotification]
):
    queryset = AlertNotification.objects.none()
    # The key is named after the outbox's row; in addresses it is the id of the notification.
    lookup_url_kwarg = "id"
    http_method_names = METHODS
    permission_classes = (MayOperate,)
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    pagination_class = NotificationsNewestFirst

    def get_queryset(self) -> QuerySet[AlertNotification]:
        tries = Prefetch("notification__tries", NotificationAttempt.objects.order_by("number"))
        mine = AlertNotification.objects.visible_to(self.request.user)
        return mine.select_related("notification").prefetch_related(tries)

    @extend_schema(request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **_: str) -> Response:
        """Send a notification once more, now."""
        row = self.get_object()
        resend_notification(notification=row.notification)
        transaction.on_commit(partial(nudge, [row.pk]))
        return Response(self.get_serializer(row).data)
