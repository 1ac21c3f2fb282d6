"""The access that the credential of a socket gives, at the handshake and afterwards.

One check covers all open sockets: the same queries as at the handshake, every few seconds.
Sessions are in the database, Django's default.
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
class SocketCredential:
    """The credential that a socket brings. Exactly one of the two fields is set."""

    session_key: str = ""
    token_digest: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """A user, with the organisations that the user may see now."""

    user: User
    permitted: Permitted


def accesses_of(credentials: Iterable[SocketCredential]) -> dict[SocketCredential, Access]:
    """Return the access that each credential gives now; a credential without access is missing."""
    given = set(credentials)
    users = _session_users({each.session_key: each for each in given if each.session_key})
    users |= _token_users({each.token_digest: each for each in given if each.token_digest})
    active = {credential: user for credential, user in users.items() if user.is_active}
    organisations: dict[int, set[int]] = {user.pk: set() for user in active.values()}
    pairs = Membership.objects.filter(user_id__in=organisations)
    for user_id, organisation_id in pairs.values_list("user_id", "organisation_id"):
        organisations[user_id].add(organisation_id)
    return {
        credential: Access(user, None if user.is_provider else frozenset(organisations[user.pk]))
        for credential, user in active.items()
    }


def _token_users(by_digest: Mapping[str, SocketCredential]) -> dict[SocketCredential, User]:
    if not by_digest:
        return {}
    rows = ApiToken.objects.filter(digest__in=by_digest, revoked_at=None).select_related("user")
    return {by_digest[row.digest]: row.user for row in rows}


def _session_users(by_key: Mapping[str, SocketCredential]) -> dict[SocketCredential, User]:
    if not by_key:
        return {}
    rows = Session.objects.filter(session_key__in=by_key, expire_date__gt=timezone.now())
    claims = {by_key[row.session_key]: row.get_decoded() for row in rows}
    ids = {credential: _user_id(claim) for credential, claim in claims.items()}
    users = User.objects.in_bulk({pk for pk in ids.values() if pk is not None})
    found = {credential: users[pk] for credential, pk in ids.items() if pk in users}
    return {
        credential: user
        for credential, user in found.items()
        if _is_signed_for(user, claims[credential])
    }


def _user_id(claim: Mapping[str, Any]) -> int | None:
    try:
        return int(claim[SESSION_KEY])
    except (KeyError, TypeError, ValueError):
        return None


def _is_signed_for(user: User, claim: Mapping[str, Any]) -> bool:
    """Return whether the session was begun with the present password of the user."""
    if claim.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    given = claim.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(given, each) for each in hashes)
