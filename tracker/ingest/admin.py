"""What staff may do with uplinks that were set aside: take them up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from tracker.ingest.replay import replay_some
from uplinks.admin import SetAsideAdmin
from uplinks.queries import uplinks_of

AT_ONCE = 100


@admin.action(description=f"Replay (up to {AT_ONCE})")
def replay_uplinks(model_admin: SetAsideAdmin, request: HttpRequest, chosen: QuerySet[Any]) -> None:
    mine = uplinks_of(request.user).filter(pk__in=list(chosen.values_list("pk", flat=True)))
    done = replay_some(mine, after=0, limit=AT_ONCE)
    taken_up = sum(each.is_taken_up for each in done)
    level = messages.SUCCESS if taken_up == len(done) else messages.WARNING
    model_admin.message_user(request, f"{taken_up} of {len(done)} were taken up.", level)


SetAsideAdmin.actions = (replay_uplinks,)
