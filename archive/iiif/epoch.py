"""When decisions about access stop being true: one channel in Redis ends what every web process has remembered.

A process listens in a thread of its own and counts what it hears; a decision is good only in the count it was made in.
A process that does not hear Redis remembers nothing, and asks the database each time.
"""

import logging
import threading
import time
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

CHANNEL = "palimpsest:access"
WAIT = 1.0  # seconds between two looks at whether Redis is still there
SILENCE = 3.0  # seconds after which a connection that answers no ping counts as lost
PAUSE = 0.5  # before connecting again
PATIENCE = 10  # failures in a row before the log hears of them


class Epoch:
    """The count of this process. `now()` is None while changes made elsewhere could be missed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._count = 0
        self._heard = 0.0  # monotonic time of the last sign of life
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def now(self) -> int | None:
        """To be read before the database is asked, and stored with the answer."""
        if self._thread is None:
            self._start()
        return self._count if time.monotonic() - self._heard < SILENCE else None

    def end(self) -> None:
        """What was decided until now is decided anew, in this process at once and in the others on hearing of it."""
        self._next()
        line = redis.Redis.from_url(
            self._url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        try:
            line.publish(CHANNEL, b"")
        except redis.RedisError as error:
            # The others hear nothing of Redis either, and stop trusting what they remember within SILENCE.
            log.warning("Access changed while Redis is away: %s", error)
        finally:
            line.close()

    def _next(self) -> None:
        with self._lock:
            self._count += 1

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="access epoch", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        failures = 0
        while True:
            try:
                self._follow()
            except redis.RedisError as error:
                failures = 1 if self._heard else failures + 1
                if failures == PATIENCE:  # a restart is no news
                    log.warning("Access decisions are not remembered while Redis is away: %s", error)
            self._heard = 0.0
            time.sleep(PAUSE)

    def _follow(self) -> None:
        line = redis.Redis.from_url(self._url, socket_timeout=SILENCE, socket_connect_timeout=2)
        channel = line.pubsub()  # type: ignore[no-untyped-call]
        try:
            channel.subscribe(CHANNEL)
            while True:
                message: dict[str, Any] | None = channel.get_message(timeout=WAIT)
                if message is None:
                    channel.ping()
                    continue
                if message["type"] in {
                    "message",
                    "subscribe",
                }:  # while it was away, anything may have changed
                    self._next()
                self._heard = time.monotonic()
        finally:
            channel.close()
            line.close()


_epochs: dict[str, Epoch] = {}


def epoch() -> Epoch:
    """The epoch of the archive the settings name."""
    url = settings.REDIS_URL
    if url not in _epochs:
        _epochs.setdefault(url, Epoch(url))
    return _epochs[url]


def access_changed() -> None:
    """Somebody may see more or less than before; takes effect when the change is committed."""
    transaction.on_commit(epoch().end)
