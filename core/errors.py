"""The two families of errors: `Refused` and `Unavailable`.

`Refused`: the request is wrong, and sending the same again will not help.
`Unavailable`: the server cannot do it now, and a later retry will help. Only
`core/rest/problem.py` turns an error into an HTTP answer.
"""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True):
    """A mistake in a request. `pointer` is an RFC 6901 JSON Pointer into the body."""

    pointer: str
    code: str
    detail: str


class TrackerError(Exception):
    """Parent of every error that is raised on purpose."""

    code = "error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.__doc__ or self.code)

    @property
    def detail(self) -> str:
        return str(self.args[0])


class Refused(TrackerError):
    """The sender is wrong."""

    code = "invalid"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        faults: tuple[Fault, ...] = (),
        fault_count: int = 0,
    ) -> None:
        super().__init__(detail)
        if code:
            self.code = code
        self.faults = faults
        # Greater than the length of `faults` where not all of them are listed.
        self.fault_count = fault_count or len(faults)


class Unavailable(TrackerError):
    """The server cannot do this now."""

    code = "unavailable"

    def __init__(self, detail: str = "", *, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class UnreadableUplink(Refused):
    """The bytes are not in the wire format."""

    code = "malformed-body"


class CredentialsMissing(Refused):
    """No credential came with the request."""

    code = "credentials-missing"


class CredentialsInvalid(Refused):
    """The credential that came with the request is not valid."""

    code = "credentials-invalid"


class Forbidden(Refused):
    """The user is known, but may not do this."""

    code = "forbidden"


class NotYourDevice(Forbidden):
    """The token belongs to one device and the body names another."""

    code = "not-your-device"


class PlainText(Forbidden):
    """The request came without TLS, though there is an address with TLS."""

    code = "tls-required"


class NotFound(Refused):
    """The object does not exist, or belongs to another organisation."""

    code = "not-found"


class Conflict(Refused):
    """The request contradicts the present state."""

    code = "conflict"


class TooLarge(Refused):
    """The body is larger than the limit."""

    code = "body-too-large"


class HeadersTooLarge(Refused):
    """More header bytes or lines than this server reads."""

    code = "headers-too-large"


class RequestTimeout(Refused):
    """The request took too long to arrive."""

    code = "request-timeout"


class MethodNotAllowed(Refused):
    """The path exists, but not for this method."""

    code = "method-not-allowed"

    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(f"use {' or '.join(methods)}")
        self.methods = methods


class UnsupportedMediaType(Refused):
    """The door does not read this media type."""

    code = "unsupported-media-type"


class Unprocessable(Refused):
    """The body can be read, but its content is wrong."""

    code = "invalid"


class TooOften(Refused):
    """More requests than the quota allows."""

    code = "too-many-requests"

    def __init__(self, detail: str = "", *, retry_after_s: int = 60) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
