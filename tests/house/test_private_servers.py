"""The scripts that everybody starts first."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "deploy" / "local" / "servers"


def servers(local_dir, *arguments, **environment):
    return subprocess.run(
        [SERVERS, *arguments],
        env={**os.environ, "LOCAL_DIR": str(local_dir), **environment},
        text=True,
        capture_output=True,
        check=False,
    )


def test_whoever_has_servers_gets_none(tmp_path):
    given = {"DATABASE_URL": "postgis://elsewhere/x", "REDIS_URL": "redis://elsewhere"}

    started = servers(tmp_path, "start", **given)

    assert started.returncode == 0
    assert not (tmp_path / "postgres").exists()
    assert "SECRET_KEY=" in (tmp_path / "env").read_text()


def test_a_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    given = {"DATABASE_URL": "postgis://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    servers(tmp_path, "start", **given)
    first = (tmp_path / "env").read_text()

    servers(tmp_path, "start", **given)

    assert (tmp_path / "env").read_text() == first
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0


def test_run_passes_on_how_the_command_ended(tmp_path):
    given = {"DATABASE_URL": "postgis://elsewhere/x", "REDIS_URL": "redis://elsewhere"}

    assert servers(tmp_path, "run", "sh", "-c", "exit 7", **given).returncode == 7


def test_an_unknown_word_is_explained(tmp_path):
    refused = servers(tmp_path, "restart")

    assert refused.returncode == 2
    assert "start | stop | status" in refused.stderr
