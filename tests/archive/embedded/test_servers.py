"""The private servers: there when needed, private, and gone with their last user."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from archive.embedded import Addresses, EmbeddedProblem, Servers
from archive.embedded.identity import Identity

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def archive_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose path is longer than a socket's may be, below folders that only their owner may enter."""
    home = tmp_path_factory.mktemp("home") / ("deep" * 20) / ("deeper" * 8)
    home.mkdir(parents=True)
    return home


@pytest.fixture
def servers(archive_home: Path) -> Iterator[Addresses]:
    addresses = Addresses.of(archive_home)
    with Servers(addresses, postgres=True, redis=True, durable=False):
        yield addresses


def ask(addresses: Addresses, question: str) -> object:
    with (
        contextlib.closing(psycopg2.connect(addresses.database_url())) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def running(addresses: Addresses) -> list[psutil.Process]:
    """Every process that serves this home: keepers, servers and what they started."""
    marks = (str(addresses.home), str(addresses.sockets))
    keepers_and_servers = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if any(mark in words for mark in marks) and process.pid != os.getpid():
            keepers_and_servers.append(process)
    return keepers_and_servers


def gone(addresses: Addresses, *, within: float = 15) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not running(addresses) and not addresses.sockets.exists():
            return True
        time.sleep(0.1)
    return False


def user(home: Path) -> "subprocess.Popen[str]":
    """Another process that uses the servers until it is told otherwise."""
    code = (
        "import sys, time; from pathlib import Path; from archive.embedded import Addresses, Servers\n"
        "with Servers(Addresses.of(Path(sys.argv[1])), postgres=True, redis=True, durable=False):\n"
        "    print('there', flush=True); time.sleep(120)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


def test_the_database_sorts_and_folds_by_unicode_and_runs_unprivileged(servers: Addresses) -> None:
    locale = "select datlocprovider::text || datlocale from pg_database where datname = current_database()"
    assert ask(servers, locale) == "bPG_UNICODE_FAST"
    assert ask(servers, "select lower('ŽLUŤOUČKÝ')") == "žluťoučký"
    postmaster = int((servers.home / "postgres" / "postmaster.pid").read_text().split()[0])
    assert psutil.Process(postmaster).uids().effective != 0


def test_nobody_else_gets_in(servers: Addresses) -> None:
    assert servers.sockets.stat().st_mode & 0o777 == 0o700
    assert ask(servers, "show listen_addresses") == ""
    with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
        psycopg2.connect(host=str(servers.sockets), user="somebody", dbname="postgres")


def test_what_was_written_is_there_after_the_last_user_left_and_nothing_runs_in_between(
    archive_home: Path,
) -> None:
    addresses = Addresses.of(archive_home)
    with Servers(addresses, postgres=True, redis=True, durable=False):
        ask(addresses, "create table kept as select 42 as answer")
    assert running(addresses) == []
    assert not addresses.sockets.exists()
    with Servers(addresses, postgres=True, redis=False, durable=False):
        assert ask(addresses, "select answer from kept") == 42


def test_a_server_that_dies_is_started_again(servers: Addresses) -> None:
    pid = int((servers.home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert ask(servers, "select 1") == 1
        except psycopg2.Error:
            time.sleep(0.1)
        else:
            break
    assert int((servers.home / "postgres" / "postmaster.pid").read_text().split()[0]) != pid


def test_one_user_leaving_does_not_take_the_servers_from_another(archive_home: Path) -> None:
    addresses = Addresses.of(archive_home)
    other = user(archive_home)
    with Servers(addresses, postgres=True, redis=True, durable=False):
        other.terminate()
        other.wait()
        time.sleep(0.5)
        assert ask(addresses, "select 1") == 1
    assert running(addresses) == []


def test_nothing_is_left_when_the_only_user_is_killed(archive_home: Path) -> None:
    addresses = Addresses.of(archive_home)
    other = user(archive_home)
    assert len(running(addresses)) >= 4
    other.kill()
    other.wait()
    assert gone(addresses)


def test_nothing_is_left_when_the_keepers_are_killed(archive_home: Path) -> None:
    addresses = Addresses.of(archive_home)
    other = user(archive_home)
    for process in running(addresses):
        if "archive.embedded" in process.cmdline():
            process.kill()
    deadline = time.monotonic() + 15
    while (
        left := [one for one in running(addresses) if one.pid != other.pid]
    ) and time.monotonic() < deadline:
        time.sleep(0.1)
    other.kill()
    other.wait()
    assert left == []


def test_two_archives_are_not_in_each_others_way(servers: Addresses, tmp_path: Path) -> None:
    second = Addresses.of(tmp_path)
    with Servers(second, postgres=True, redis=True, durable=False):
        ask(second, "create table only_here (id int)")
        assert second.sockets != servers.sockets
        with pytest.raises(psycopg2.errors.UndefinedTable):
            ask(servers, "select * from only_here")


def test_a_folder_somebody_else_left_for_the_sockets_is_refused(tmp_path: Path) -> None:
    addresses = Addresses(home=tmp_path, sockets=tmp_path / "sockets")
    addresses.sockets.mkdir(mode=0o755)
    (addresses.sockets / "trap").touch()
    with pytest.raises(EmbeddedProblem, match="expected a folder of mode 0700"):
        addresses.claim_sockets(owner=os.geteuid(), group=os.getegid())


def test_a_database_of_another_version_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    with (
        pytest.raises(EmbeddedProblem, match="expected a database of PostgreSQL 18, got one of 15"),
        Servers(Addresses.of(tmp_path), postgres=True, redis=False, durable=False),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as somebody else")
def test_programs_below_a_folder_only_root_may_enter_are_copied_and_run(tmp_path: Path) -> None:
    addresses = Addresses.of(tmp_path / "home")
    closed = tmp_path / "closed"
    (closed / "tree" / "bin").mkdir(parents=True)
    (closed / "libs").mkdir()
    program = closed / "tree" / "bin" / "hello"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../libs/word"\n')
    program.chmod(0o700)
    (closed / "libs" / "word").write_text("hello")
    closed.chmod(0o700)
    identity = Identity.for_servers()
    addresses.claim_sockets(owner=identity.uid, group=identity.gid)
    try:
        there = identity.reachable(
            program, needs=(closed / "tree", closed / "libs"), copies=addresses.sockets / "copies"
        )
        said = subprocess.run(
            [there], user=identity.uid, group=identity.gid, extra_groups=[], capture_output=True
        )
        assert said.stdout == b"hello", said.stderr
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(addresses.sockets)
