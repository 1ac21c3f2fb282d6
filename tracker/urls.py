"""Every address of the web process. Each app registers its own part of the API."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

import accounts.api
import alerts.api
import assets.api
import geofence.api
import positions.api
import tracker.ingest.api
import tracker.live.api
import tracker.live.states
import uplinks.api
from tracker import pages

router = SimpleRouter()
for app_api in (
    accounts.api,
    assets.api,
    geofence.api,
    alerts.api,
    tracker.ingest.api,
    positions.api,
):
    app_api.register(router)
api = [
    *accounts.api.urls,
    *tracker.live.api.urls,
    *tracker.live.states.urls,
    *positions.api.urls,
    *uplinks.api.urls,
    *router.urls,
]

urlpatterns = [
    path("", RedirectView.as_view(url="/app/map")),
    path("app/", RedirectView.as_view(url="/app/map")),
    re_path(r"^app/.+$", pages.console, name="console"),
    path("accounts/login/", pages.ThrottledLoginView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    # The admin's own form would go round the throttle.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include(api)),
    path("problems/", pages.problem_types, name="problems"),
    path("problems/<slug:code>", pages.problem_type, name="problem"),
    path("healthz", pages.healthz),
    path("readyz", pages.readyz),
]
