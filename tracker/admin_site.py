"""The admin as one site: its order, its names, and what does not belong in it.

Ordered by what staff look for, not by the packages in which it happens to live.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.contrib.admin import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from unfold.sites import UnfoldAdminSite


class ListPage(NamedTuple):
    """A list of rows, as staff call it. `model` is a label in lower case."""

    title: str
    icon: str
    model: str


SECTIONS: Final[dict[str, tuple[ListPage, ...]]] = {
    "Customers": (
        ListPage("Organisations", "domain", "accounts.organisation"),
        ListPage("People", "person", "accounts.user"),
        ListPage("Memberships", "badge", "accounts.membership"),
        ListPage("API tokens", "key", "accounts.apitoken"),
        ListPage("Audit trail", "history_edu", "accounts.auditentry"),
    ),
    "Fleet": (
        ListPage("Assets", "local_shipping", "assets.asset"),
        ListPage("Devices", "sensors", "assets.device"),
        ListPage("Assignments", "link", "assets.assignment"),
    ),
    "Uplinks": (
        ListPage("Sources", "input", "assets.source"),
        ListPage("Set aside", "inbox", "uplinks.setaside"),
        ListPage("Misuses", "report", "uplinks.misuse"),
    ),
    "Geofences": (
        ListPage("Geofences", "fence", "geofence.geofence"),
        ListPage("Crossings", "swap_horiz", "geofence.crossing"),
        ListPage("Judging again", "history", "positions.rejudging"),
    ),
    "Alerts": (
        ListPage("Alerts", "notifications", "alerts.alert"),
        ListPage("Rules", "rule", "alerts.rule"),
        ListPage("Recipients", "contacts", "alerts.recipient"),
        ListPage("Notifications", "outgoing_mail", "alerts.alertnotification"),
        ListPage("Outbox", "outbox", "outbox.notification"),
    ),
}


class TrackerAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    index_title = "Administration"

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the sections in place of the apps, each with what the user may see of it."""
        apps_listed = super().get_app_list(request, app_label)
        allowed = {
            listed["model"]._meta.label_lower: listed
            for app in apps_listed
            for listed in app["models"]
        }
        sections = (self._section(title, allowed) for title in SECTIONS)
        return [section for section in sections if section["models"]]

    def _section(self, title: str, allowed: dict[str, dict[str, Any]]) -> dict[str, Any]:
        models = [
            allowed[page.model] | {"name": page.title}
            for page in SECTIONS[title]
            if page.model in allowed
        ]
        label = title.lower()
        return {
            "name": title,
            "app_label": label,
            "app_url": f"{reverse(f'{self.name}:index')}#{label}",
            "has_module_perms": True,
            "models": models,
        }


def stylesheet(request: HttpRequest) -> str:
    """Return the address of the styles that keep a name from turning its neighbours."""
    return static("console/names.css")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sections as unfold's sidebar wants them."""
    return [
        {"title": title, "items": [_link(page) for page in pages]}
        for title, pages in SECTIONS.items()
    ]


def _link(page: ListPage) -> dict[str, str]:
    address = reverse(f"admin:{page.model.replace('.', '_')}_changelist")
    return {"title": page.title, "icon": page.icon, "link": address}


class AdminConfig(apps.AdminConfig):
    default_site = "tracker.admin_site.TrackerAdminSite"

    def ready(self) -> None:
        super().ready()  # finds the admin.py of each app
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        # Rights come from `staff_role` and memberships; groups would be a second, unheeded way.
        site.unregister(Group)
