"""What `manage.py check` and every start look at: a wrong setting is told before the first upload, not after it."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_KEY = 32


@register(Tags.security)
def the_secret_key_is_long_enough(**_options: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SHORTEST_KEY:
        return []
    return [
        Error(
            f"PALIMPSEST_SECRET_KEY: expected at least {SHORTEST_KEY} characters, got {len(settings.SECRET_KEY)}.",
            hint="Leave it out to have one made and kept in PALIMPSEST_HOME, or set a long random one.",
            id="palimpsest.E001",
        )
    ]


@register()
def folders_can_be_written(**_options: Any) -> list[CheckMessage]:
    places = {"PALIMPSEST_HOME": str(settings.HOME), "PALIMPSEST_STORE": settings.STORE}
    places["PALIMPSEST_RENDITIONS"] = settings.RENDITIONS
    found: list[CheckMessage] = []
    for variable, place in places.items():
        if place.startswith("s3://"):
            continue
        folder = Path(place)
        while not folder.exists():
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            found.append(
                Error(
                    f"{variable}: expected a folder that user {os.geteuid()} may write, got {place}.",
                    hint="Change its owner, or name another folder.",
                    id="palimpsest.E002",
                )
            )
    return found


@register()
def a_bucket_comes_with_keys(**_options: Any) -> list[CheckMessage]:
    in_buckets = any(place.startswith("s3://") for place in (settings.STORE, settings.RENDITIONS))
    if not in_buckets or (settings.S3_ACCESS_KEY and settings.S3_SECRET_KEY):
        return []
    return [
        Warning(
            "The store is a bucket, and PALIMPSEST_S3_ACCESS_KEY or PALIMPSEST_S3_SECRET_KEY is not set.",
            hint="That is right only where the machine itself has a role that may use the bucket.",
            id="palimpsest.W001",
        )
    ]


@register(Tags.security, deploy=True)
def the_outside_is_named(**_options: Any) -> list[CheckMessage]:
    if settings.BEHIND_HTTPS and not settings.CSRF_TRUSTED_ORIGINS:
        return [
            Warning(
                "PALIMPSEST_HTTPS is set and PALIMPSEST_ORIGINS is empty: forms sent through a proxy are refused.",
                hint="Set PALIMPSEST_ORIGINS=https://your.host.",
                id="palimpsest.W002",
            )
        ]
    return []
