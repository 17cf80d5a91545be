"""One tree of errors. `str(error)` is a sentence a person can act on; `code` is stable and for programs.

Standard library only: the archive's web processes raise and catch these without torch.
"""

from typing import ClassVar


class StylizerError(Exception):
    """Anything the stylizer foresees. `transient` says whether trying again may help."""

    code: ClassVar[str] = "stylizer"
    transient: ClassVar[bool] = False


class RecipeError(StylizerError):
    """A recipe cannot be resolved. Says where, what was expected and what was found."""

    code = "recipe-invalid"

    def __init__(self, path: str, expected: str, got: object) -> None:
        self.path, self.expected, self.got = path, expected, got
        shown = got if isinstance(got, int | float) else repr(got)
        super().__init__(f"{path}: expected {expected}, got {str(shown)[:120]}")


class ImageError(StylizerError):
    """A picture is refused."""

    code = "image"


class EmptyFile(ImageError):
    code = "image-empty"


class NotAnImage(ImageError):
    """The bytes are something else (HTML, SVG, PDF …), whatever the name says."""

    code = "image-not-an-image"


class UnsupportedImage(ImageError):
    """An image, but of a kind that would have to be converted, and so would not be kept as it is."""

    code = "image-unsupported"


class UnreadableImage(ImageError):
    """An image that is damaged or cut off."""

    code = "image-unreadable"


class ImageTooLarge(ImageError):
    code = "image-too-large"


class ModelError(StylizerError):
    """Weights or a card are not as they should be."""

    code = "model"


class UnknownModel(ModelError):
    code = "model-unknown"


class WeightsMismatch(ModelError):
    """Weights do not have the digest, or the shapes, that the card says."""

    code = "model-weights-mismatch"


class EngineError(StylizerError):
    """A picture could not be made. No output file is left behind."""

    code = "engine"


class SourceChanged(EngineError):
    """The source's bytes are not those the recipe was ordered for."""

    code = "engine-source-changed"


class OutsideTraining(EngineError):
    """The picture is not of a kind the network was trained for."""

    code = "engine-outside-training"


class MaskMismatch(EngineError):
    """The mask is not the one in the recipe, or does not fit the scan."""

    code = "engine-mask-mismatch"


class ReferenceMismatch(EngineError):
    """The style picture is missing, is not the one in the recipe, or is given to a recipe that takes none."""

    code = "engine-reference-mismatch"


class BadTile(EngineError):
    """The network gave something that is no picture (not a number, or infinite)."""

    code = "engine-bad-tile"


class OutOfMemory(EngineError):
    code = "engine-out-of-memory"
    transient = True


class Cancelled(EngineError):
    """Stopped between tiles because it was asked to."""

    code = "engine-cancelled"
