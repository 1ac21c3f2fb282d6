"""Logs: structured, by id and never by coordinate, readable on a terminal or as JSON."""

from __future__ import annotations

import logging
import logging.config
import re
from typing import Any

import structlog

# The token in an address of the door, however it is spelled; and whatever looks like a token of
# ours: 32 or more letters and digits of both cases, which no id in hex is.
_TOKENS = re.compile(
    r"(?P<address>(?i:ingest)/+[^/\s]*/+)[^\s/?\"']+"
    r"|(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{32,}"
)

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def without_tokens(text: str) -> str:
    """Return a line of a log with each token replaced by `…`."""
    return _TOKENS.sub(lambda found: f"{found['address'] or ''}…", text)


def _masked(renderer: Any) -> Any:
    """Return the renderer, whose lines show no token."""
    return lambda *given: without_tokens(str(renderer(*given)))


def configure_logs(*, level: str, as_json: bool) -> None:
    """Send all records to standard error, one line each."""
    # Plain tracebacks: the pretty ones print local variables, and with them tokens.
    on_terminal = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    renderer: Any = structlog.processors.JSONRenderer() if as_json else on_terminal
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _masked(renderer),
                    ],
                    "foreign_pre_chain": _SHARED,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "uvicorn.access": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
                "django.channels": {"level": "WARNING"},
                "django.server": {"level": "WARNING"},
                # It logs a traceback each second while Redis is away; the hub logs a line once.
                "channels_redis.pubsub": {"level": "CRITICAL"},
                # It logs each attempt while the database is away.
                "psycopg.pool": {"level": "ERROR"},
                "celery": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
            },
        }
    )
