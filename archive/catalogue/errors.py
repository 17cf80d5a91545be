"""What the catalogue refuses, each with a stable code and a sentence a person can act on."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.translation import gettext as _


class CatalogueError(Exception):
    """A rule of the catalogue was not kept. `str(error)` is the sentence shown to people."""

    code = "catalogue"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a description. `field` names the property; its language, `creator.lang`."""

    field: str
    expected: str
    got: object

    def sentence(self, called: str = "") -> str:
        """`called` is what the page at hand calls the field."""
        words = (
            _("%(where)s: %(expected)s is missing.")
            if self.got == ""
            else _("%(where)s: expected %(expected)s, got %(got)s.")
        )
        return words % {
            "where": called or self.field,
            "expected": self.expected,
            "got": repr(self.got)[:80],
        }


class DescriptionError(CatalogueError):
    """A description is not `{property: [{"value", "lang"}]}` with known properties. It names all that is wrong."""

    code = "description-invalid"

    def __init__(self, field: str, expected: str, got: object, *, more: Iterable[Fault] = ()) -> None:
        self.faults = (Fault(field, expected, got), *more)
        super().__init__(" ".join(fault.sentence() for fault in self.faults))


class AllAtOnce:
    """Gathers what is wrong, so that nobody mends one field only to hear of the next."""

    MOST = 30  # whoever has made more mistakes will look twice anyway

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    @property
    def full(self) -> bool:
        """Is it enough to be told? What comes in may be wrong in any number of ways."""
        return len(self._faults) >= self.MOST

    @contextmanager
    def trying(self) -> Iterator[None]:
        try:
            yield
        except DescriptionError as error:
            for fault in error.faults:
                if not self.full:
                    self._faults.setdefault(fault.sentence(), fault)

    def tell(self) -> None:
        """Raises DescriptionError if anything was wrong."""
        if self._faults:
            first, *more = self._faults.values()
            raise DescriptionError(first.field, first.expected, first.got, more=more)


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
