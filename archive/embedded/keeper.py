"""The keeper of one private server: a process of its own, started by the first user, gone after the last.

    python -m archive.embedded postgres|redis HOME [--hasty]

1. Take the keeper's lock; if another keeper has it, there is nothing to do.
2. Start the server, and again whenever it dies, a little later each time.
3. Try to lock out the users. While any is there, the kernel refuses; once none is, hold the door, stop the server, go.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from archive.embedded.addresses import Addresses, EmbeddedProblem
from archive.embedded.postgres import Postgres
from archive.embedded.redis import Redis

Server: TypeAlias = Postgres | Redis
SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "redis": Redis}

PAUSE = 0.1  # seconds between two looks
SETTLED = 10.0  # seconds after which a start counts as a success
SLOWEST = 5.0  # seconds between two starts at most
PATIENCE = 30.0  # seconds a server may take to stop


def try_lock(handle: int, kind: int) -> bool:
    """Take a lock if that is possible at once."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_lock(server: Server, role: str) -> int:
    """Open the lock file of a server's `users` or `keeper`."""
    server.addresses.locks.mkdir(parents=True, exist_ok=True)
    return os.open(server.addresses.locks / f"{server.name}.{role}", os.O_RDWR | os.O_CREAT, 0o600)


class Keeper:
    """Keeps one server running for as long as somebody uses it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked_to_stop = False
        self.child: subprocess.Popen[bytes] | None = None
        self.started, self.wait = 0.0, PAUSE

    def run(self) -> int:
        keeper, users = open_lock(self.server, "keeper"), open_lock(self.server, "users")
        if not try_lock(keeper, fcntl.LOCK_EX):
            return 0
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the users; we go when they are gone
        try:
            self._claim()
            self.server.prepare()
            while not (self.asked_to_stop or try_lock(users, fcntl.LOCK_EX)):
                self._mend()
                time.sleep(PAUSE)
        finally:
            self._stop()
            self._tidy()
        return 0  # the locks go with the process: whoever finds them free finds us gone

    def _claim(self) -> None:
        identity = self.server.identity
        self.server.addresses.claim_sockets(owner=identity.uid, group=identity.gid)

    def _mend(self) -> None:
        if self.child is not None and self.child.poll() is None:
            if time.monotonic() - self.started > SETTLED:
                self.wait = PAUSE
            return
        if self.child is not None:
            if time.monotonic() - self.started < self.wait:
                return
            self.wait = min(self.wait * 2, SLOWEST)
        self._claim()
        self.server.addresses.logs.mkdir(parents=True, exist_ok=True)
        with (self.server.addresses.logs / f"{self.server.name}.log").open("ab") as log:
            self.child = self.server.start(log)
        self.started = time.monotonic()

    def _stop(self) -> None:
        if self.child is None or self.child.poll() is not None:
            return
        self.child.send_signal(self.server.stop_signal)
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def _tidy(self) -> None:
        """Take away our copies of programs, and the folder of the sockets once the other server has left it too."""
        shutil.rmtree(self.server.programs, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.server.addresses.sockets.rmdir()

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True


def main(arguments: list[str]) -> int:
    name, home, *rest = arguments
    server = SERVERS[name](Addresses.of(Path(home)), durable="--hasty" not in rest)
    try:
        return Keeper(server).run()
    except EmbeddedProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
