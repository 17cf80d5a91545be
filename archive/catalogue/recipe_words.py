"""What each preset is called and promises, in a curator's words: `{name: (title, summary)}`."""

from django.utils.translation import gettext_lazy

RECIPE_WORDS = {
    "restore": (
        gettext_lazy("Restore"),
        gettext_lazy(
            "Takes out halftone screens, eases scratches, creases and tears where that most likely helps, and leaves "
            "all else as it is."
        ),
    ),
    "restore-tone": (
        gettext_lazy("Restore with tone"),
        gettext_lazy(
            "Also corrects fading and yellowing of the whole picture. A pale but sound picture may be darkened."
        ),
    ),
    "restore-damage-only": (
        gettext_lazy("Restore damage only"),
        gettext_lazy("As restore, but outside the damage it marks not one bit changes."),
    ),
    "restore-perceptual": (
        gettext_lazy("Restore, fresh"),
        gettext_lazy(
            "For scratched, creased and torn pictures: mends them further, and may draw texture that was never there. "
            "Other damage it may make worse: look closely."
        ),
    ),
    "colourise": (
        gettext_lazy("Colourise"),
        gettext_lazy(
            "The colours it may have had, pale where that cannot be known. Guesses, not evidence; light and shade stay."
        ),
    ),
    "upscale-2x": (
        gettext_lazy("Twice as large"),
        gettext_lazy(
            "Twice the width and height with sharper edges; what the scan does not hold is not made up."
        ),
    ),
    "upscale-2x-perceptual": (
        gettext_lazy("Twice as large, fresh"),
        gettext_lazy(
            "Crisper than “Twice as large”, further from the scan: some grain and edges that it draws were never there."
        ),
    ),
    "style/charcoal-drawing": (
        gettext_lazy("Charcoal drawing"),
        gettext_lazy(
            "In black on white, after charcoal and pen drawings of 1917. A free interpretation, not a restoration."
        ),
    ),
    "style/impressionism": (
        gettext_lazy("Impressionism"),
        gettext_lazy(
            "In a brush's strokes, after Monet, Pissarro, Renoir and others. A free interpretation, not a restoration."
        ),
    ),
    "style/woodblock-print": (
        gettext_lazy("Woodblock print"),
        gettext_lazy(
            "Flat colours with dark outlines, after Japanese prints. A free interpretation, not a restoration."
        ),
    ),
    "style/halftone-plate": (
        gettext_lazy("Halftone plate"),
        gettext_lazy(
            "As if printed from a sepia plate of about 1903. A free interpretation, not a restoration."
        ),
    ),
    "style/reference": (
        gettext_lazy("The style of another picture"),
        gettext_lazy(
            "Takes light, colour and stroke from one picture. A free interpretation, not a restoration."
        ),
    ),
}
