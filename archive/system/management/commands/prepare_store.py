"""`manage.py prepare_store`: the folders or buckets the settings name, made if they are not there."""

from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from storages.backends.s3 import S3Storage

S3 = "s3://"


class Command(BaseCommand):
    help = "Makes the folders or buckets of the store and the renditions, if they are not there."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        for variable, place in (
            ("PALIMPSEST_STORE", settings.STORE),
            ("PALIMPSEST_RENDITIONS", settings.RENDITIONS),
        ):
            try:
                made = (
                    make_bucket(place.removeprefix(S3)) if place.startswith(S3) else make_folder(Path(place))
                )
            except (BotoCoreError, ClientError, OSError) as error:
                raise CommandError(f"{variable}: {place} cannot be made or reached: {error}") from error
            self.stdout.write(f"{place}: {'made' if made else 'was there'}")


def make_folder(folder: Path) -> bool:
    if folder.is_dir():
        return False
    folder.mkdir(parents=True)
    return True


def make_bucket(name: str) -> bool:
    """Return whether it had to be made."""
    client = S3Storage(
        bucket_name=name,
        endpoint_url=settings.S3_ENDPOINT or None,
        access_key=settings.S3_ACCESS_KEY or None,
        secret_key=settings.S3_SECRET_KEY or None,
        region_name=settings.S3_REGION,
        signature_version="s3v4",
        addressing_style="path",
    ).connection.meta.client
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        client.create_bucket(Bucket=name)
        return True
    return False
