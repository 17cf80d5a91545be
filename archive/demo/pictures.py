"""What the demonstration archive shows: pictures a package ships, with what their makers say of them.

Credits and licences as scikit-image's documentation of `skimage.data` states them. Each is aged by the project's own
simulator and says so: nobody is to take a simulated scratch for history.
"""

from dataclasses import dataclass

AGED = (
    "Demonstration: a modern picture, aged by simulation so that there is something to restore. "
    "The damage is not historical."
)


@dataclass(frozen=True)
class Sample:
    """A file in skimage's data folder, and its description."""

    file: str
    collection: str
    title: str
    date: str
    creator: str
    rights: str
    subject: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    ref: str
    title: str
    about: str


ROOT = Shelf(
    "demonstration",
    "Demonstration collection",
    "Pictures that show what this archive does. They were taken from a freely licensed package and aged by "
    "simulation; the restorations beside them were made by a worker on this machine.",
)
SHELVES = (
    Shelf(
        "demonstration-flight", "Flight and space", "A portrait, a launch, and what was looked at from below."
    ),
    Shelf(
        "demonstration-table",
        "Things on a table",
        "A cup, some coins, a page: small things with fine detail.",
    ),
)
PUBLIC_DOMAIN = "https://creativecommons.org/publicdomain/mark/1.0/"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"

SAMPLES = (
    Sample(
        "astronaut.png", "demonstration-flight", "Portrait of Eileen Collins", "1999", "NASA", PUBLIC_DOMAIN,
        ("astronauts", "portraits"),
    ),
    Sample(
        "rocket.jpg", "demonstration-flight", "Launch of a Falcon 9 carrying DSCOVR", "2015-02-11", "SpaceX", CC0,
        ("rockets", "launches"),
    ),
    Sample("moon.png", "demonstration-flight", "Surface of the Moon", "", "NASA", PUBLIC_DOMAIN, ("Moon",)),
    Sample(
        "camera.png", "demonstration-flight", "Photographer with a camera on a tripod", "", "Lav Varshney", CC0,
        ("photographers",),
    ),
    Sample("coffee.png", "demonstration-table", "Cup of coffee", "", "Rachel Michetti", CC0, ("still life",)),
    Sample("chelsea.png", "demonstration-table", "Chelsea the cat", "", "Stéfan van der Walt", CC0, ("cats",)),
    Sample(
        "coins.png", "demonstration-table", "Coins of Pompeii", "", "Brooklyn Museum", PUBLIC_DOMAIN, ("coins",)
    ),
)  # fmt: skip
