"""Bytes on their way in: whatever breaks, what is kept is what came, in order."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from archive.ingest import incoming


class Cut:
    """A connection that gives some bytes and then breaks."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, most: int) -> bytes:
        if not self.data:
            raise OSError("connection reset")
        piece, self.data = self.data[:most], self.data[most:]
        return piece


def test_a_cut_connection_keeps_what_arrived_but_not_under_a_checksum() -> None:
    upload = uuid4()
    incoming.create(upload)
    with pytest.raises(incoming.CutShort):
        incoming.append(upload, Cut(b"abc").read, at=0, length=10, announced=10)
    assert incoming.offset(upload) == 3
    checksum = incoming.Checksum("sha1", b"?")
    with pytest.raises(incoming.CutShort):
        incoming.append(upload, Cut(b"def").read, at=3, length=10, announced=7, checksum=checksum)
    assert incoming.offset(upload) == 3


def test_who_comes_last_has_the_turn_and_a_hanging_connection_writes_no_more() -> None:
    upload = uuid4()
    incoming.create(upload)
    hanging, goes_on = threading.Event(), threading.Event()
    pieces: Iterator[bytes] = iter([b"abc", b"LATE"])

    def slow(_most: int) -> bytes:
        piece = next(pieces)
        if piece == b"LATE":
            hanging.set()
            goes_on.wait(10)
        return piece

    problems: list[Exception] = []

    def first() -> None:
        try:
            incoming.append(upload, slow, at=0, length=10, announced=10)
        except incoming.IncomingError as error:
            problems.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert hanging.wait(10)
    assert incoming.append(upload, Cut(b"defghij").read, at=3, length=10, announced=7) == 10
    goes_on.set()
    thread.join(10)
    assert [type(problem) for problem in problems] == [incoming.NotMyTurn]
    assert incoming.path_of(upload).read_bytes() == b"abcdefghij"


@hypothesis_settings(max_examples=40, deadline=None)
@given(data=st.binary(min_size=1, max_size=400), cuts=st.lists(st.integers(1, 80), max_size=12))
def test_however_it_is_cut_the_bytes_are_the_same(data: bytes, cuts: list[int]) -> None:
    upload = uuid4()
    incoming.create(upload)
    for cut in [*cuts, len(data)]:
        at = incoming.offset(upload) or 0
        if at < len(data):
            piece = data[at : at + cut]
            try:
                incoming.append(upload, Cut(piece).read, at=at, length=len(data), announced=len(data) - at)
            except incoming.CutShort:
                continue
    assert incoming.path_of(upload).read_bytes() == data
