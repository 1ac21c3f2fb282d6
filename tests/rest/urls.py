"""The real addresses, and a few that fail in every way that a view can."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, OperationalError
from django.urls import path
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import errors
from tracker.urls import urlpatterns as real_patterns

FAILURES: dict[str, Exception] = {
    "unreadable": errors.UnreadableUplink(),
    "missing": errors.CredentialsMissing(),
    "wrong": errors.CredentialsInvalid(),
    "forbidden": errors.Forbidden(),
    "gone": errors.NotFound(),
    "conflict": errors.Conflict(),
    "large": errors.TooLarge(),
    "media": errors.UnsupportedMediaType(),
    "invalid": errors.Unprocessable(),
    "often": errors.TooOften(retry_after_s=7),
    "unavailable": errors.Unavailable(retry_after_s=9),
    "nested": ValidationError({"legs": [{}, {"a/b": ["Wrong."]}], "non_field_errors": ["Odd."]}),
    "throttled": Throttled(wait=11),
    "database": OperationalError("server closed the connection at 10.1.2.3"),
    "value": DataError("numeric field overflow"),
    "suspicious": SuspiciousOperation("odd"),
    "upload": RequestDataTooBig("odd"),
    "bug": ZeroDivisionError("a secret coordinate"),
}


class FailingView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, name: str) -> Response:
        raise FAILURES[name]

    def post(self, request: Request, name: str) -> Response:
        if name == "echo":
            return Response({"read": request.data})
        raise FAILURES[name]


def failing_page(request: Any, name: str) -> Any:
    raise FAILURES[name]


urlpatterns = [
    path("api/v1/failing/<name>/", FailingView.as_view()),
    path("failing/<name>/", failing_page),
    *real_patterns,
]
