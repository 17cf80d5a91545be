"""Records as museums and libraries write them, through a sheet and back.

The handful below are facts from the Tate's collection data (github.com/tategallery/collection, CC0). Many more, on
purpose: `PALIMPSEST_REAL_RECORDS=FOLDER pytest tests/archive/catalogue/test_real_records.py`, FOLDER as
`benchmarks.catalogue` reads it.
"""

import csv
import io
import itertools
import os
from pathlib import Path

import pytest

from archive.accounts.models import User
from archive.catalogue.models import Collection, Item, ItemRevision
from archive.catalogue.sheets.cells import divided
from archive.catalogue.sheets.exporting import csv_of, xlsx_of
from archive.catalogue.sheets.importing import bring, look, take_in
from benchmarks.catalogue import FREE, HEADINGS, records

pytestmark = pytest.mark.django_db
FOLDER = os.environ.get("PALIMPSEST_REAL_RECORDS")
EVERY = 10  # of the 110 816: enough of every kind, in a minute
TURNER = "Joseph Mallord William Turner"
TATE = [
    ["A00001", "A Figure Bowing before a Seated Old Man with his Arm Outstretched in Benediction. "
     "Verso: Indecipherable Sketch", "Robert Blake", "date not known", "on paper, unique",
     "Watercolour, ink, chalk and graphite on paper. Verso: graphite on paper", "support: 394 x 419 mm",
     "arm/arms raised|kneeling|sitting|man|man, old|blessing", "", FREE],
    ["A00303", "[title not known]", "George Jones", "date not known", "on paper, unique", "Ink on paper", "",
     "gun, rifle|hat|uniform / kit|man|walking|soldier", "", FREE],
    ["D02124", "Mountains, with a Single-Arched Bridge over a River in the Foreground; Nant Ffrancon, with the Glyders "
     "at Left and beyond Mynedd Perfedd; (Above) Continuation of Mountains to Left Including Carnedd Dafydd", TURNER,
     "1799–1800", "on paper, unique", "Graphite on paper", "support: 131 x 78 mm",
     "Caernarfonshire and Merionethshire|Carnedd Dafydd|Glyder Fâch|bridge|mountain|valley|river", "Wales", FREE],
    ["D17210", "?Sunningwell [Turner]", TURNER, "c.1821", "on paper, unique", "Graphite on paper",
     "support: 113 x 187 mm", "building - non-specific|hill", "", FREE],
    ["T12659", "Study for ‘Christ Driving the Money Changers from the Temple’", "William Roberts", "c. 1922–5",
     "on paper, unique", "Charcoal and coloured graphite on paper", "133 x 152 mm",
     "Christ and the money changers|figure|group|man|walking", "", FREE],
]  # fmt: skip


def sheet_of(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([HEADINGS, *rows])
    return out.getvalue().encode()


def there_and_back(rows: list[list[str]], place: Collection, by: User, *, workbook: bool) -> None:
    taken = take_in(bring(sheet_of(rows), filename="tate.csv", collection=place, by=by), by=by)
    assert (taken.new, taken.problems) == (len(rows), [])
    items = Item.objects.filter(collection=place)
    by_number = {item.description["identifier"][0]["value"]: item for item in items}
    for row in rows:
        item = by_number[row[0]]
        for name, cell in zip(HEADINGS, row, strict=True):
            if name == "date":
                assert item.date_verbatim == cell.strip()
            else:
                assert [v["value"] for v in item.description.get(name, [])] == divided(cell), (row[0], name)
    revisions = ItemRevision.objects.count()
    exported = xlsx_of(items) if workbook else b"".join(csv_of(items))
    again = bring(exported, filename="back.xlsx" if workbook else "back.csv", collection=place, by=by)
    seen = look(again)
    assert (seen.new, seen.changed, seen.same, seen.problems) == (0, 0, len(rows), [])
    take_in(again, by=by)
    assert ItemRevision.objects.count() == revisions


@pytest.mark.parametrize("workbook", [False, True])
def test_real_records_come_back_as_they_went(portraits: Collection, ada: User, *, workbook: bool) -> None:
    there_and_back(TATE, portraits, ada, workbook=workbook)
    dated = {item.description["identifier"][0]["value"]: item.date_edtf for item in Item.objects.all()}
    assert dated == {
        "A00001": "", "A00303": "", "D02124": "1799/1800", "D17210": "1821~", "T12659": "1922~/1925~",
    }  # fmt: skip


@pytest.mark.skipif(not FOLDER, reason="PALIMPSEST_REAL_RECORDS names no folder of records")
@pytest.mark.timeout(900)
def test_eleven_thousand_real_records_come_back_as_they_went(portraits: Collection, ada: User) -> None:
    rows = [row for _ref, row in itertools.islice(records(Path(str(FOLDER))), 0, None, EVERY)]
    assert len(rows) > 10_000
    there_and_back([[cell.replace("\\", "") for cell in row] for row in rows], portraits, ada, workbook=False)
