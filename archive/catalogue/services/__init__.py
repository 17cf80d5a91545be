"""The only writers of the catalogue. Verbs; each is one transaction and leaves an event behind."""

from archive.catalogue.services.collections import change_collection, create_collection, refresh_tree
from archive.catalogue.services.derivatives import Derived, add_derivatives, lock_scans
from archive.catalogue.services.events import agent_of, record, software
from archive.catalogue.services.files import register_file, register_files, unknown_for_good
from archive.catalogue.services.items import (
    Change,
    NewItem,
    change_table,
    create_item,
    create_items,
    describe,
    describe_items,
    undo_edit,
)
from archive.catalogue.services.pictures import (
    NewDerivative,
    NewMaster,
    add_derivative,
    add_master,
    add_masters,
    register_recipe,
    register_release,
    technical,
)

__all__ = [
    "Change",
    "Derived",
    "NewDerivative",
    "NewItem",
    "NewMaster",
    "add_derivative",
    "add_derivatives",
    "add_master",
    "add_masters",
    "agent_of",
    "change_collection",
    "change_table",
    "create_collection",
    "create_item",
    "create_items",
    "describe",
    "describe_items",
    "lock_scans",
    "record",
    "refresh_tree",
    "register_file",
    "register_files",
    "register_recipe",
    "register_release",
    "software",
    "technical",
    "undo_edit",
    "unknown_for_good",
]
