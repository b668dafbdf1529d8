"""Workers in processes of their own, any of which may be killed.

To start Django takes seconds, so one process does it, and forks for every task: `Nursery` speaks to it.
"""

from __future__ import annotations

import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.soak.clock import SharedClock

SECONDS_FOR_A_TASK = 60


class Nursery:
    """Starts the tasks of `crm.tasks` by name, each in a process of its own. Use as a context manager."""

    def __init__(self, clock: Path, log: Path, environment: Mapping[str, str]) -> None:
        database = connection.settings_dict
        address = f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
        known = {"DATABASE_URL": address, "PGPASSWORD": database["PASSWORD"] or "", "LOG_LEVEL": "ERROR"}
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.workers", str(clock)],
                env={**os.environ, **known, **environment},
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        self._news: queue.Queue[tuple[str, int, int]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.running: dict[int, str] = {}
        self.killed: list[str] = []
        self.failed: list[str] = []

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self.running):
            self.kill(pid)
        self._process.communicate(timeout=SECONDS_FOR_A_TASK)

    def start(self, task: str) -> int:
        self._say(task)
        word, pid, _ = self._news.get(timeout=SECONDS_FOR_A_TASK)
        while word != "began":
            self._note_end(pid, _)
            word, pid, _ = self._news.get(timeout=SECONDS_FOR_A_TASK)
        self.running[pid] = task
        return pid

    def kill(self, pid: int) -> None:
        """kill -9, unless it has ended already."""
        self._say(f"kill {pid}")

    def wait_for_one(self, seconds: float) -> bool:
        """Wait until a task ends, so long at most; whether none is left."""
        if self.running:
            try:
                _, pid, status = self._news.get(timeout=seconds)
            except queue.Empty:
                return False
            self._note_end(pid, status)
        return not self.running

    def run(self, task: str) -> None:
        """Start a task and wait for its end."""
        self.start(task)
        assert self.wait_for_one(SECONDS_FOR_A_TASK), f"{task} does not end."

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _note_end(self, pid: int, status: int) -> None:
        task = self.running.pop(pid)
        if status == -signal.SIGKILL:
            self.killed.append(task)
        elif status:
            self.failed.append(task)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, pid, status = line.split()
            self._news.put((word, int(pid), int(status)))


# --- The process itself ---------------------------------------------------------------------------


def main(clock: Path) -> None:
    """Fork for every task that a line of the input names; say when it began and how it ended."""
    import django

    django.setup()
    from crm import tasks

    time = SharedClock(clock)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                selector.unregister(key.fileobj)
                os.close(key.fd)
                _tell("ended", key.data, os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1]))
                continue
            # Unbuffered: a second line must not hide from the selector.
            named = _read_line()
            if not named:
                return
            if named.startswith("kill "):
                _kill(int(named.removeprefix("kill ")), selector)
                continue
            pid = os.fork()
            if pid == 0:
                _work(tasks, named, time)
            _tell("began", pid, 0)
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)


def _read_line() -> str:
    read = b""
    while not read.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return ""
        read += byte
    return read.decode().strip()


def _kill(pid: int, selector: selectors.BaseSelector) -> None:
    """Only one that was not waited for yet: else the number may be another's."""
    if any(key.data == pid for key in selector.get_map().values()):
        os.kill(pid, signal.SIGKILL)


def _work(tasks: object, name: str, clock: SharedClock) -> None:
    status = 1
    try:
        getattr(tasks, name)(clock)
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _tell(word: str, pid: int, status: int) -> None:
    os.write(1, f"{word} {pid} {status}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
