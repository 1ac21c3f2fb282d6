"""Server-rendered pages: the console's shell, log-in, problem types; and the health checks."""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from accounts.models import User
from accounts.roles import organisation_roles_of, role_of
from core.rest.problem import problem, request_id_of, response_of
from core.rest.problem_types import PROBLEM_TYPES
from tracker.readiness import readiness_faults

ATTRIBUTION = "Natural Earth · GeoNames"
FAILURES_PER_MINUTE = 10
# A listed password tried over many accounts stays under the limit of each (fault F-110).
FAILURES_PER_MINUTE_OF_ADDRESS = 100

logger = logging.getLogger(__name__)


# --- the console ---------------------------------------------------------------


@require_safe
@never_cache
@login_required
@ensure_csrf_cookie
def console(request: HttpRequest) -> HttpResponse:
    """Answer the shell for every /app/ path; the console decides the view."""
    user: Any = request.user
    boot = {
        "user": {
            "id": user.pk,
            "name": user.get_full_name() or user.username,
            "email": user.email,
            "role": role_of(user),
        },
        "organisations": [
            {
                "id": organisation.id,
                "name": organisation.name,
                "role": organisation.role,
                "time_zone": organisation.time_zone,
            }
            for organisation in organisation_roles_of(user)
        ],
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "basemap": {
            "url": static("console/basemap/world.pmtiles"),
            "attribution": ATTRIBUTION,
        },
        "build": build_id(),
    }
    return render(request, "console.html", {"boot": boot})


@functools.cache
def build_id() -> str:
    """Return the id of the console's build; "" if it is not built."""
    manifest = Path(str(settings.DJANGO_VITE["default"]["manifest_path"]))
    if not manifest.exists():
        return ""
    return hashlib.sha256(manifest.read_bytes()).hexdigest()[:12]


# --- log-in --------------------------------------------------------------------


class LoginForm(AuthenticationForm):
    """Accepts a user name, or an e-mail address if it belongs to a single person."""

    # The same answer to every mistake, so that strangers cannot find out user names.
    error_messages = dict[str, Any].fromkeys(
        ("invalid_login", "inactive"),
        "The name or the password is wrong. Mind capital and small letters.",
    )

    def clean_username(self) -> str:
        typed = str(self.cleaned_data["username"])
        persons = User.objects.filter(email__iexact=typed, is_active=True) if "@" in typed else ()
        names = [person.username for person in persons[:2]]
        return names[0] if len(names) == 1 else typed


class ThrottledLoginView(LoginView):
    """Log-in that slows down guessing, and answers unknown names and wrong passwords alike.

    Without Redis it is not slowed down: locking people out of the map would be worse.
    """

    form_class = LoginForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if any(_failures(key) >= limit for key, limit in _limits(request)):
            response = self.render_to_response(self.get_context_data(is_throttled=True))
            response.status_code = 429
            response.headers["Retry-After"] = "60"
            return response
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        for key, _ in _limits(self.request):
            _count_failure(key)
        return super().form_invalid(form)


def _limits(request: HttpRequest) -> list[tuple[str, int]]:
    # The peer itself, never a header that the peer could have written.
    address = request.META.get("REMOTE_ADDR", "")
    username = request.POST.get("username", "").lower()
    digest = hashlib.sha256(f"{address} {username}".encode("utf-8", "replace")).hexdigest()
    return [
        (f"login:{digest}", FAILURES_PER_MINUTE),
        (f"login-from:{address}", FAILURES_PER_MINUTE_OF_ADDRESS),
    ]


def _failures(key: str) -> int:
    try:
        return int(cache.get(key, 0))
    except (RedisError, OSError):
        logger.warning("log-ins are not throttled: the cache does not answer")
        return 0


def _count_failure(key: str) -> None:
    try:
        cache.add(key, 0, timeout=60)
        cache.incr(key)
    except (RedisError, OSError, ValueError):
        logger.warning("a failed log-in was not counted: the cache does not answer")


# --- problem types --------------------------------------------------------------


@require_safe
def problem_types(request: HttpRequest) -> HttpResponse:
    return render(request, "problems.html", {"types": PROBLEM_TYPES})


@require_safe
def problem_type(request: HttpRequest, code: str) -> HttpResponse:
    if code not in PROBLEM_TYPES:
        raise Http404
    return render(request, "problems.html", {"types": {code: PROBLEM_TYPES[code]}})


# --- health ----------------------------------------------------------------------


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives, without checking the database."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer whether this process is ready for requests, or the reasons why not."""
    faults = readiness_faults()
    if not faults:
        return JsonResponse({"status": "ready"})
    detail = " ".join(fault.detail for fault in faults)
    headers = [("Retry-After", "5")]
    return response_of(problem(503, "not-ready", detail, request_id_of(request), faults, headers))
