#!/usr/bin/env python
"""Django's command line, with the settings of this server."""

import os
import secrets
import sys

from django.core.management import execute_from_command_line

# Tools for the hand that neither sign anything nor open a connection.
BY_THEMSELVES = {"judge", "decode", "check_samples"}


def stand_in_for_servers() -> None:
    """Fill in the settings that have no default, so that a fresh clone can run the tools."""
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    os.environ.setdefault("DATABASE_URL", "postgis://nobody@127.0.0.1:1/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    if len(sys.argv) > 1 and sys.argv[1] in BY_THEMSELVES:
        stand_in_for_servers()
    execute_from_command_line(sys.argv)
