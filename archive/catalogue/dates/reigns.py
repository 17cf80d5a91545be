"""Reigns, the Republic and named periods, and the lunar calendar that reign years are counted in.

Conversion of lunar months is `lunar_python`'s. A reign's first year (元年) is the first full year after the accession,
as the era itself counts; 民国 and the Japanese eras from 1873 use Gregorian months.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from lunar_python import LunarYear

from archive.catalogue.dates import bounds
from archive.catalogue.dates.bounds import Bounds

STEMS, BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
TRADITIONAL = str.maketrans(
    "國慶豐緒統亂歷曆閏臘號後約確紀葉傳樂寶為攝於進萬啟禎溫治興滿",
    "国庆丰绪统乱历历闰腊号后约确纪叶传乐宝为摄于进万启祯温治兴满",
)
JULIAN_DAY_OF_ORDINAL_0 = 1721425  # date.fromordinal(n) is the day whose noon is Julian day n + this
GREGORIAN_EVER = 0


@dataclass(frozen=True)
class Era:
    """Years `first` to `last` of our calendar; from `solar` on its months are the Gregorian ones."""

    first: int
    last: int
    solar: int = 9999

    def year(self, number: int) -> int | None:
        y = self.first + number - 1
        return y if number >= 1 and y <= self.last else None

    def gregorian(self, y: int) -> bool:
        return y >= self.solar


ERAS: dict[str, Era] = {
    # Ming and Qing: https://en.wikipedia.org/wiki/List_of_Chinese_era_names
    "洪武": Era(1368, 1398), "建文": Era(1399, 1402), "永乐": Era(1403, 1424), "洪熙": Era(1425, 1425),
    "宣德": Era(1426, 1435), "正统": Era(1436, 1449), "景泰": Era(1450, 1457), "天顺": Era(1457, 1464),
    "成化": Era(1465, 1487), "弘治": Era(1488, 1505), "正德": Era(1506, 1521), "嘉靖": Era(1522, 1566),
    "隆庆": Era(1567, 1572), "万历": Era(1573, 1620), "天启": Era(1621, 1627), "崇祯": Era(1628, 1644),
    "顺治": Era(1644, 1661), "康熙": Era(1662, 1722), "雍正": Era(1723, 1735), "乾隆": Era(1736, 1795),
    "嘉庆": Era(1796, 1820), "道光": Era(1821, 1850), "咸丰": Era(1851, 1861), "同治": Era(1862, 1874),
    "光绪": Era(1875, 1908), "宣统": Era(1909, 1911),
    "民国": Era(1912, 2200, GREGORIAN_EVER), "洪宪": Era(1916, 1916, GREGORIAN_EVER),
    "大同": Era(1932, 1934, GREGORIAN_EVER), "康德": Era(1934, 1945, GREGORIAN_EVER),
    "明治": Era(1868, 1912, 1873), "大正": Era(1912, 1926, GREGORIAN_EVER), "昭和": Era(1926, 1989, GREGORIAN_EVER),
}  # fmt: skip
REPUBLIC = (date(1912, 1, 1), date(1949, 9, 30))
QING_END = date(1912, 2, 12)  # the abdication
PERIODS: dict[str, tuple[date, date]] = {
    **dict.fromkeys(("民国", "民国时期", "民国年间"), REPUBLIC),
    **dict.fromkeys(("民初", "民国初", "民国初年", "民国初期"), (REPUBLIC[0], date(1919, 12, 31))),
    **dict.fromkeys(("清末", "晚清", "清朝末年", "清代末期", "清季", "清末年"), (date(1840, 1, 1), QING_END)),
    "清末民初": (date(1900, 1, 1), date(1919, 12, 31)),
    **dict.fromkeys(("清", "清代", "清朝", "清时期"), (date(1644, 1, 1), QING_END)),
    **dict.fromkeys(("明", "明代", "明朝"), (date(1368, 1, 1), date(1644, 12, 31))),
    **dict.fromkeys(("抗战时期", "抗日战争时期", "抗战期间"), (date(1937, 7, 7), date(1945, 9, 2))),
    **dict.fromkeys(("文革", "文革时期", "文化大革命时期"), (date(1966, 5, 16), date(1976, 10, 6))),
}


def simplified(text: str) -> str:
    """The characters that stand in dates, from traditional to simplified."""
    return text.translate(TRADITIONAL)


def span_of(era: str) -> Bounds | None:
    """All the years of a reign."""
    known = ERAS[era]
    if known.gregorian(known.first):
        return bounds.years(known.first, known.last)
    first, last = lunar(known.first, 0, 0), lunar(known.last, 0, 0)
    return (
        bounds.between(first, last)
        if not known.gregorian(known.last)
        else bounds.years(known.first, known.last)
    )


def in_reign(era: str, name: str) -> int | None:
    """The year of the sixty-year cycle (甲午) in a reign, where the reign has only one of that name."""
    known = ERAS[era]
    hits = [
        y
        for y in range(known.first, known.last + 1)
        if STEMS[(y - 4) % 10] == name[0] and BRANCHES[(y - 4) % 12] == name[1]
    ]
    return hits[0] if len(hits) == 1 else None


def lunar(y: int, month: int, day: int, *, leap: bool = False) -> Bounds | None:
    """A lunar year, a month of it, or a day of that month, in Gregorian days. `month` and `day` 0 mean all of it."""
    months = _months(y)
    if not month:
        return bounds.days(months[0][1], months[-1][2])
    wanted = next(
        ((first, last) for number, first, last in months if number == (-month if leap else month)), None
    )
    if wanted is None:
        return None
    first, last = wanted
    if not day:
        return bounds.days(first, last)
    found = first + timedelta(days=day - 1)
    return bounds.days(found, found) if found <= last else None


@lru_cache(maxsize=1024)
def _months(y: int) -> list[tuple[int, date, date]]:
    """`(number, first day, last day)` of the months of a lunar year; a leap month has the negative number."""
    found = []
    for month in LunarYear.fromYear(y).getMonthsInYear():
        first = date.fromordinal(int(month.getFirstJulianDay()) - JULIAN_DAY_OF_ORDINAL_0)
        found.append((month.getMonth(), first, first + timedelta(days=month.getDayCount() - 1)))
    return found
