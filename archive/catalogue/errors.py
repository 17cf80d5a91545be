"""What the catalogue refuses, each with a stable code and a sentence a person can act on."""

from django.utils.translation import gettext as _


class CatalogueError(Exception):
    """A rule of the catalogue was not kept. `str(error)` is the sentence shown to people."""

    code = "catalogue"


class DescriptionError(CatalogueError):
    """A description is not `{property: [{"value", "lang"}]}` with known properties."""

    code = "description-invalid"

    def __init__(self, where: str, expected: str, got: object) -> None:
        sentence = (
            _("%(where)s: %(expected)s is missing.")
            if got == ""
            else _("%(where)s: expected %(expected)s, got %(got)s.")
        )
        super().__init__(sentence % {"where": where, "expected": expected, "got": repr(got)[:80]})


class CollectionError(CatalogueError):
    """A collection cannot be what was asked (a loop in the tree, a reference already taken, a root that inherits)."""

    code = "collection-invalid"


class NotAMaster(CatalogueError):
    """A master was expected (to supersede, to be a scan's current master)."""

    code = "not-a-master"


class AlreadyMade(CatalogueError):
    """The same source, recipe and run has a live derivative already."""

    code = "already-made"


class ReleaseTaken(CatalogueError):
    """A model release of this name and version stands for other weights; a release never changes."""

    code = "release-taken"

    def __init__(self, name: str, version: str, *, registered: str, got: str) -> None:
        super().__init__(
            _(
                "%(name)s %(version)s is registered with the weights %(registered)s; these are %(got)s. "
                "Give the new weights a version of their own."
            )
            % {"name": name, "version": version, "registered": registered[:12], "got": got[:12]}
        )
