"""`manage.py bootstrap`: an admin, an organisation, and a source for each wire format."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from accounts import actions as people
from accounts.models import ApiToken, Organisation, User
from accounts.tokens import derived_token, digest_of
from assets import actions
from assets.models import Source
from assets.serializers import ingest_url
from positions.durability import require_durable
from wire.registry import FORMATS

TOKEN_NAME = "bootstrap"  # noqa: S105  a name, not a secret
# Senders that were set up by an earlier run go on with their token.
OVERLAP_S = 30 * 86_400
REGISTER, SET_ASIDE = Source.UnknownDevices.REGISTER, Source.UnknownDevices.SET_ASIDE


class Command(BaseCommand):
    help = (
        "Makes an admin, an organisation and a source for each wire format, and shows their"
        " secrets. May be run again, and then shows the same tokens, but no password of an"
        " existing admin. A token that was changed by hand is replaced by a new one; the replaced"
        " token of a source stays valid for 30 days."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--organisation", default="Demo", metavar="NAME")
        parser.add_argument(
            "--register-devices", action="store_true", help="sources register unknown devices"
        )
        parser.add_argument(
            "--password", default=None, help="of a new admin; or BOOTSTRAP_PASSWORD, else random"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_durable(connection)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        with transaction.atomic():
            shown = bootstrap(
                organisation_name=options["organisation"],
                registers_devices=options["register_devices"],
                password=options["password"] or os.environ.get("BOOTSTRAP_PASSWORD"),
            )
        self.stdout.write(json.dumps(shown, indent=2) if options["json"] else as_text(shown))


def bootstrap(
    *, organisation_name: str, registers_devices: bool, password: str | None
) -> dict[str, Any]:
    """Create the rows that are missing; return addresses, names and secrets for the operator."""
    admin, shown_password = _ensure_admin(password)
    organisation = Organisation.objects.filter(name=organisation_name).first()
    organisation = organisation or people.create_organisation(name=organisation_name)
    return {
        "url": settings.PUBLIC_URL,
        "ingest_url": settings.INGEST_URL,
        "admin": {"username": admin.username, "password": shown_password},
        "token": _ensure_api_token(admin),
        "organisation": {"id": organisation.pk, "name": organisation.name},
        "sources": {
            name: _ensure_source(organisation, name, registers_devices=registers_devices)
            for name in FORMATS
        },
    }


def _ensure_admin(password: str | None) -> tuple[User, str | None]:
    """Return the admin, and the password if it was set just now."""
    admin = User.objects.filter(username="admin").first()
    if admin is not None:
        return admin, None
    chosen = password or secrets.token_urlsafe(15)
    admin = people.create_user(username="admin", password=chosen, staff_role=User.StaffRole.ADMIN)
    return admin, chosen


def _ensure_api_token(admin: User) -> str:
    rows = ApiToken.objects.filter(user=admin)
    live = rows.filter(name=TOKEN_NAME, revoked_at=None)
    known = {digest_of(token): token for token in _tokens("api", admin.pk, rows.count())}
    for row in live:
        if row.digest in known:
            return known[row.digest]
    for former in live:
        people.revoke_api_token(token=former)
    token = _tokens("api", admin.pk, rows.count() + 1)[-1]
    people.issue_api_token(user=admin, name=TOKEN_NAME, token=token)
    return token


def _tokens(kind: str, owner: int, count: int) -> list[str]:
    """Return the derived tokens of the first `count` rows of an owner.

    Rows are never deleted, so that a revoked token is never used again.
    """
    return [derived_token("bootstrap", kind, owner, number) for number in range(count)]


def _ensure_source(
    organisation: Organisation, wire_format: str, *, registers_devices: bool
) -> dict[str, Any]:
    rows = Source.objects.filter(organisation=organisation)
    count = rows.count()
    known = {digest_of(token): token for token in _tokens("source", organisation.pk, count)}
    source = rows.filter(name=wire_format, wire_format=wire_format, revoked_at=None).first()
    if source is None:
        source, token = actions.add_source(
            organisation=organisation,
            name=_free_name(organisation, wire_format),
            wire_format=wire_format,
            unknown_devices=REGISTER if registers_devices else SET_ASIDE,
            token=_tokens("source", organisation.pk, count + 1)[-1],
        )
    else:
        if registers_devices:
            source = actions.change_source(source=source, unknown_devices=REGISTER)
        after_former = derived_token("bootstrap", "after", source.previous_digest)
        known[digest_of(after_former)] = after_former
        token = known.get(source.digest) or actions.rotate_source_token(
            source=source,
            overlap_s=OVERLAP_S,
            # Derived from the former token, so that it is found again and used only once.
            token=derived_token("bootstrap", "after", source.digest),
        )
    return {"id": source.pk, "token": token, "url": ingest_url(source, token)}


def _free_name(organisation: Organisation, wanted: str) -> str:
    """Return `wanted`, with a number if a revoked source or another format has this name."""
    taken = set(Source.objects.filter(organisation=organisation).values_list("name", flat=True))
    numbered = (f"{wanted} {number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(name for name in numbered if name not in taken)


def as_text(shown: dict[str, Any]) -> str:
    password = shown["admin"]["password"] or "(as it was set before)"
    lines = [
        f"Console    {shown['url']}/",
        f"User       {shown['admin']['username']}",
        f"Password   {password}",
        f"API token  {shown['token']}",
        f"Sources of {shown['organisation']['name']}:",
    ]
    lines += [f"  {name:20} {source['url']}" for name, source in shown["sources"].items()]
    return "\n".join(lines)
