"""The users' side: `with Servers(…):` and the private servers are there."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from archive.embedded.addresses import Addresses, EmbeddedProblem
from archive.embedded.keeper import PATIENCE, Server, open_lock, try_lock
from archive.embedded.postgres import Postgres
from archive.embedded.redis import Redis

CODE = Path(__file__).resolve().parent.parent.parent


class Servers:
    """The private servers an archive needs, shared by all who use it.

    Raises:
        EmbeddedProblem: on entry, a server cannot be had; its own words are in the sentence.
    """

    def __init__(self, addresses: Addresses, *, postgres: bool, redis: bool, durable: bool = True) -> None:
        self.wanted: list[Server] = []
        if postgres:
            self.wanted.append(Postgres(addresses, durable=durable))
        if redis:
            self.wanted.append(Redis(addresses, durable=durable))
        self.held: list[int] = []

    def __enter__(self) -> "Servers":
        try:
            for server in self.wanted:
                handle = open_lock(server, "users")
                self.held.append(handle)
                # Waits while a keeper is stopping its server, so that we never meet one that is on its way out.
                fcntl.flock(handle, fcntl.LOCK_SH)
            self.mend()
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._let_go()
        for server in self.wanted:
            _wait_for_the_end(server)

    def mend(self) -> list[str]:
        """See that every server answers; return the names of those for which a keeper had to be called."""
        missing = [server for server in self.wanted if not server.answers()]
        called = [(server, _call_keeper(server)) for server in missing]  # all first: they start side by side
        for server, keeper in called:
            _wait_for_an_answer(server, keeper)
        return [server.name for server in missing]

    def _let_go(self) -> None:
        while self.held:
            os.close(self.held.pop())


def _call_keeper(server: Server) -> "subprocess.Popen[bytes]":
    logs = server.addresses.logs
    logs.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "archive.embedded", server.name, str(server.addresses.home)]
    with (logs / f"{server.name}.log").open("ab") as log:
        return subprocess.Popen(
            words if server.durable else [*words, "--hasty"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=CODE,
            start_new_session=True,  # Ctrl-C in our terminal must not reach it before us
        )


def _wait_for_an_answer(server: Server, keeper: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 2 * PATIENCE
    while not server.answers():
        if keeper.poll():
            raise EmbeddedProblem(f"There is no private {server.title}. {_last_words(server)}")
        if keeper.returncode == 0:  # another keeper was there, or on its way out: ask again
            time.sleep(0.5)
            keeper = _call_keeper(server)
        if time.monotonic() > deadline:
            raise EmbeddedProblem(
                f"The private {server.title} did not answer within {2 * PATIENCE:.0f} s. {_last_words(server)} "
                f"Set {server.variable} to use a server of your own."
            )
        time.sleep(0.05)


def _wait_for_the_end(server: Server) -> None:
    """If we were the last user, return only when the server is gone."""
    keeper, users = open_lock(server, "keeper"), open_lock(server, "users")
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if try_lock(keeper, fcntl.LOCK_EX):
                return
            if try_lock(users, fcntl.LOCK_EX):
                fcntl.flock(users, fcntl.LOCK_UN)  # nobody is there; the keeper has not seen it yet
            elif try_lock(users, fcntl.LOCK_SH):
                return  # others still use it
            time.sleep(0.05)
    finally:
        os.close(users)
        os.close(keeper)


def _last_words(server: Server) -> str:
    log = server.addresses.logs / f"{server.name}.log"
    lines = log.read_text(errors="replace").strip().splitlines()[-3:]
    return f"{log} ends: {' | '.join(lines) or 'empty'}."
