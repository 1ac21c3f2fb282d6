"""Who is at the other end of a socket, and whether that still holds.

One check answers for all open sockets at once: the same queries at the handshake and every few
seconds after it. Sessions are those of the database, Django's default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import ApiToken, Membership, User
from tracker.live.table import Permitted


@dataclass(frozen=True, slots=True)
class Credential:
    """Exactly one of the two is set."""

    session_key: str = ""
    token_digest: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    user: User
    permitted: Permitted


def accesses(credentials: Iterable[Credential]) -> dict[Credential, Access]:
    """Return what each credential opens now; one that opens nothing is missing."""
    wanted = set(credentials)
    users = _session_users({c.session_key: c for c in wanted if c.session_key})
    users |= _token_users({c.token_digest: c for c in wanted if c.token_digest})
    active = {c: user for c, user in users.items() if user.is_active}
    organisations: dict[int, set[int]] = {user.pk: set() for user in active.values()}
    pairs = Membership.objects.filter(user_id__in=organisations)
    for user_id, organisation_id in pairs.values_list("user_id", "organisation_id"):
        organisations[user_id].add(organisation_id)
    return {
        c: Access(user, None if user.is_provider else frozenset(organisations[user.pk]))
        for c, user in active.items()
    }


def _token_users(by_digest: Mapping[str, Credential]) -> dict[Credential, User]:
    if not by_digest:
        return {}
    rows = ApiToken.objects.filter(digest__in=by_digest, revoked_at=None).select_related("user")
    return {by_digest[row.digest]: row.user for row in rows}


def _session_users(by_key: Mapping[str, Credential]) -> dict[Credential, User]:
    if not by_key:
        return {}
    rows = Session.objects.filter(session_key__in=by_key, expire_date__gt=timezone.now())
    claims = {by_key[row.session_key]: row.get_decoded() for row in rows}
    ids = {c: _user_id(claim) for c, claim in claims.items()}
    users = User.objects.in_bulk({pk for pk in ids.values() if pk is not None})
    found = {c: users[pk] for c, pk in ids.items() if pk in users}
    return {c: user for c, user in found.items() if _is_signed_for(user, claims[c])}


def _user_id(claim: Mapping[str, Any]) -> int | None:
    try:
        return int(claim[SESSION_KEY])
    except (KeyError, TypeError, ValueError):
        return None


def _is_signed_for(user: User, claim: Mapping[str, Any]) -> bool:
    """Whether the session was begun with the password that the user has now."""
    if claim.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = claim.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, one) for one in hashes)
