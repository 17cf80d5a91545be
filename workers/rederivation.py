"""A derivative made again: the same source, the recipe as it is stored, into scratch; only the comparison is kept."""

import logging
import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings

from archive.catalogue.models import Version
from archive.preservation import rederivation
from archive.store import StoreError, get_store
from stylizer.engine import Engine, Source
from stylizer.errors import StylizerError
from stylizer.recipe import Recipe
from workers.engines import mask_of, reference_of

log = logging.getLogger(__name__)


def rederive(version_id: UUID, token: str, *, engine: Engine) -> None:
    """Make it again and record the verdict as an event carrying the token; a failure is a verdict too."""
    version = Version.objects.select_related("recipe", "derived_from").get(pk=version_id)
    scratch = Path(settings.SCRATCH) / f"again-{token}"
    try:
        if version.recipe is None or version.derived_from is None:
            raise StylizerError("An original is not made, so it cannot be made again.")
        recipe = Recipe.from_json(version.recipe.canonical)
        if recipe.digest != version.recipe_id:
            raise StylizerError(f"The stored recipe was tampered with: its digest is {recipe.digest}.")
        with (
            get_store().local_path(version.derived_from.file_id) as path,
            mask_of(recipe) as mask,
            reference_of(recipe) as reference,
        ):
            source = Source(path, page=version.derived_from.page, sha256=version.derived_from.file_id)
            result = engine.apply(source, recipe, out=scratch, name="again", mask=mask, reference=reference)
        rederivation.judge(version, result.report.to_dict(), token=token)
    except (StylizerError, StoreError) as error:
        rederivation.conclude(
            version, same=False, detail={"token": token, "code": error.code, "problem": str(error)}
        )
    except Exception as error:
        log.exception("Re-derivation of %s failed in a way nobody foresaw.", version_id)
        problem = f"{type(error).__name__}: {error}"[:500]
        rederivation.conclude(
            version, same=False, detail={"token": token, "code": "unexpected", "problem": problem}
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
