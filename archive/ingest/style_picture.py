"""A style picture given as a file. It becomes an item of the archive: what is made in its style names its bytes by
digest and has to be made again from them for as long as the archive stands (record 16)."""

import hashlib
from pathlib import Path

from django.utils.translation import gettext as _

from archive.accounts import permissions
from archive.accounts.models import User
from archive.catalogue.models import Collection, Version
from archive.catalogue.services import create_collection
from archive.ingest.models import Upload
from archive.ingest.services import OnDuplicate, receive

SHELF = "style-pictures"


class StylePictureRefused(Exception):
    """A file that cannot be a style picture here; says why and what to do."""

    code = "style-picture-refused"


def keep(path: Path, *, by: User, into: str = "") -> Version:
    """The version of a style picture: one that has these bytes already and that the person may see, else a new one in a
    collection (`into`, or the shelf of style pictures), under the rules of any upload.

    Raises:
        StylePictureRefused: no such file, no picture, no such collection, or not by this person.
        StoreError: the store cannot take it just now.
    """
    if not path.is_file():
        raise StylePictureRefused(_("“%s” is neither the id of a version nor a file.") % path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    there = Version.objects.filter(permissions.visible_versions(by), file=digest, page=0)
    if (found := there.order_by("pk").first()) is not None:
        return found
    receipt = receive(
        path, filename=path.name, collection=_collection(into, by), by=by, on_duplicate=OnDuplicate.KEEP
    )
    if receipt.state != Upload.State.CATALOGUED:
        raise StylePictureRefused(receipt.sentence)
    return Version.objects.get(scan__item=receipt.item, file=digest, page=0)


def _collection(ref: str, by: User) -> Collection:
    found = Collection.objects.filter(ref=ref or SHELF).first()
    if found is None and not ref and permissions.is_admin(by):
        return create_collection(SHELF, title=_("Style pictures"), by=by, access=Collection.Access.STAFF)
    if found is None or not permissions.may_upload(by, found):
        raise StylePictureRefused(
            _(
                "%(who)s may not upload into “%(ref)s”. Name a collection of theirs to keep the style picture in."
            )
            % {"who": by.username, "ref": ref or SHELF}
        )
    return found
