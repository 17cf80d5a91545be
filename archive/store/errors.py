"""What can go wrong with bytes, each with a sentence and whether trying again may help."""


class StoreError(Exception):
    """Anything the store foresees."""

    code = "store"
    transient = False


class MissingObject(StoreError):
    """A row points at bytes that are not there."""

    code = "store-missing"


class CutOff(MissingObject):
    """A disposable file is not all there, after a full disk or half a restore say. It is as good as gone."""

    code = "store-cut-off"


class DigestMismatch(StoreError):
    """The bytes that arrived are not those that were announced."""

    code = "store-digest-mismatch"


class TooManyBytes(StoreError):
    """More bytes than the limit allows."""

    code = "store-too-large"


class StoreUnavailable(StoreError):
    """The place of the bytes does not answer, or may not be written just now."""

    code = "store-unavailable"
    transient = True


class StoreFull(StoreError):
    """No room is left."""

    code = "store-full"
    transient = True
