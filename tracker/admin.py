"""The admin of uplinks set aside, with their replay, which takes the road."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.ingest.replay import replay_some
from uplinks.admin import UplinkAdmin
from uplinks.models import SetAside
from uplinks.uplink_queries import uplinks_of

AT_ONCE = 100


@admin.register(SetAside)
class SetAsideAdmin(UplinkAdmin):
    actions = ("replay_uplinks",)

    @admin.action(description=f"Replay (up to {AT_ONCE})")
    def replay_uplinks(self, request: HttpRequest, chosen: QuerySet[SetAside]) -> None:
        mine = uplinks_of(request.user).filter(pk__in=list(chosen.values_list("pk", flat=True)))
        done = replay_some(mine, after=0, limit=AT_ONCE)
        taken_up = sum(each.is_taken_up for each in done)
        level = messages.SUCCESS if taken_up == len(done) else messages.WARNING
        self.message_user(request, f"{taken_up} of {len(done)} were taken up.", level)
