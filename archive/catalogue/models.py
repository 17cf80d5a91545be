"""The catalogue's rows. Read them as the vocabulary of the archive; `services` are the only writers.

Collection ─┬─ Collection …
            └─ Item ── Scan ── Version ─┬─ StoredFile (bytes, by digest)
                                        ├─ derived_from / reference ── Version
                                        └─ Sidecar ── StoredFile

What never changes (stored files, versions, recipes, sidecars, events) is guarded by triggers in the migration
`0002_guards`, because a rule that only services know is broken by the first script that goes around them.
"""

from archive.catalogue.model_description import Collection, Edit, Item, ItemRevision
from archive.catalogue.model_history import Agent, Event, EventAgent, EventObject
from archive.catalogue.model_pictures import (
    ModelRelease,
    Recipe,
    Scan,
    Sidecar,
    StoredFile,
    Version,
)
from archive.catalogue.model_search import (
    ColumnMemory,
    FacetSet,
    ItemIndex,
    PlaceSet,
    SavedSearch,
    Sheet,
    Term,
)

__all__ = [
    "Agent",
    "Collection",
    "ColumnMemory",
    "Edit",
    "Event",
    "EventAgent",
    "EventObject",
    "FacetSet",
    "Item",
    "ItemIndex",
    "ItemRevision",
    "ModelRelease",
    "PlaceSet",
    "Recipe",
    "SavedSearch",
    "Scan",
    "Sheet",
    "Sidecar",
    "StoredFile",
    "Term",
    "Version",
]
