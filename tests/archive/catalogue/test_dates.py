"""Dates as people write them, in EDTF, English and Chinese, each with the first and last day it can mean."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.catalogue.dates import understand
from archive.catalogue.dates.reigns import ERAS

# written | EDTF | first day | last day; an open end is "…"
TABLE = """
1920 | 1920 | 1920-01-01 | 1920-12-31
1920-02 | 1920-02 | 1920-02-01 | 1920-02-29
1937-07-07 | 1937-07-07 | 1937-07-07 | 1937-07-07
1920~ | 1920~ | 1920-01-01 | 1920-12-31
1937-07? | 1937-07? | 1937-07-01 | 1937-07-31
192X | 192X | 1920-01-01 | 1929-12-31
19XX | 19XX | 1900-01-01 | 1999-12-31
1985-04-XX | 1985-04-XX | 1985-04-01 | 1985-04-30
1985-21 | 1985-21 | 1985-03-01 | 1985-05-31
1850/1860 | 1850/1860 | 1850-01-01 | 1860-12-31
1984~/2004-06 | 1984~/2004-06 | 1984-01-01 | 2004-06-30
../1900 | ../1900 | … | 1900-12-31
1900/.. | 1900/.. | 1900-01-01 | …
ca. 1920 | 1920~ | 1920-01-01 | 1920-12-31
c.1890-1900 | 1890~/1900~ | 1890-01-01 | 1900-12-31
[ca. 1920] | 1920~ | 1920-01-01 | 1920-12-31
?c.1820–5 | 1820%/1825% | 1820-01-01 | 1825-12-31
1816–17 | 1816/1817 | 1816-01-01 | 1817-12-31
1911-12 | 1911-12 | 1911-12-01 | 1911-12-31
1920-30 | 1920/1930 | 1920-01-01 | 1930-12-31
1920s | 192X | 1920-01-01 | 1929-12-31
early 1920s | 1920/1923 | 1920-01-01 | 1923-12-31
1830s–40s | 1830/1849 | 1830-01-01 | 1849-12-31
19th century | 1801/1900 | 1801-01-01 | 1900-12-31
late 19th century | 1867/1900 | 1867-01-01 | 1900-12-31
first half of the 19th century | 1801/1850 | 1801-01-01 | 1850-12-31
before 1900 | ../1900 | … | 1900-12-31
after c.1830 | 1830~/.. | 1830-01-01 | …
1950 or later | 1950/.. | 1950-01-01 | …
between 1900 and 1915 | 1900/1915 | 1900-01-01 | 1915-12-31
1920 or 1921 | 1920/1921 | 1920-01-01 | 1921-12-31
12 May 1937 | 1937-05-12 | 1937-05-12 | 1937-05-12
July 7, 1937 | 1937-07-07 | 1937-07-07 | 1937-07-07
Sept. 1937 | 1937-09 | 1937-09-01 | 1937-09-30
7–9 July 1937 | 1937-07-07/1937-07-09 | 1937-07-07 | 1937-07-09
13/7/1937 | 1937-07-13 | 1937-07-13 | 1937-07-13
4/7/1937 | [1937-04-07,1937-07-04] | 1937-04-07 | 1937-07-04
winter 1920 | 1919-12-01/1921-02-28 | 1919-12-01 | 1921-02-28
exhibited 1921 | 1921 | 1921-01-01 | 1921-12-31
1916, printed after 1940 | 1916 | 1916-01-01 | 1916-12-31
1972, 1980 | 1972/1980 | 1972-01-01 | 1980-12-31
约1920年 | 1920~ | 1920-01-01 | 1920-12-31
1920年前后 | 1920~ | 1920-01-01 | 1920-12-31
一九二〇年五月三日 | 1920-05-03 | 1920-05-03 | 1920-05-03
１９２０年 | 1920 | 1920-01-01 | 1920-12-31
1920年代 | 192X | 1920-01-01 | 1929-12-31
二十世纪二十年代 | 192X | 1920-01-01 | 1929-12-31
约1930年代 | 193X~ | 1930-01-01 | 1939-12-31
十九世纪末 | 1867/1900 | 1867-01-01 | 1900-12-31
1920—1930年 | 1920/1930 | 1920-01-01 | 1930-12-31
1937年7月至9月 | 1937-07/1937-09 | 1937-07-01 | 1937-09-30
1937年秋 | 1937-09/1937-11 | 1937-09-01 | 1937-11-30
1937年7月上旬 | 1937-07-01/1937-07-10 | 1937-07-01 | 1937-07-10
1949年以前 | ../1949 | … | 1949-12-31
民国二十六年七月 | 1937-07 | 1937-07-01 | 1937-07-31
民國廿六年七月七日 | 1937-07-07 | 1937-07-07 | 1937-07-07
民国元年 | 1912 | 1912-01-01 | 1912-12-31
民国二十六年至三十四年 | 1937/1945 | 1937-01-01 | 1945-12-31
民国时期 | 1912-01-01/1949-09-30 | 1912-01-01 | 1949-09-30
光绪三十年 | 1904-02-16/1905-02-03 | 1904-02-16 | 1905-02-03
光緒三十年八月十五日 | 1904-09-24 | 1904-09-24 | 1904-09-24
光绪二十六年闰八月 | 1900-09-24/1900-10-22 | 1900-09-24 | 1900-10-22
光绪甲午年 | 1894-02-06/1895-01-25 | 1894-02-06 | 1895-01-25
宣统三年八月十九日 | 1911-10-10 | 1911-10-10 | 1911-10-10
同治元年正月初一日 | 1862-01-30 | 1862-01-30 | 1862-01-30
光绪年间 | 1875-02-06/1909-01-21 | 1875-02-06 | 1909-01-21
清末 | 1840-01-01/1912-02-12 | 1840-01-01 | 1912-02-12
大正十二年 | 1923 | 1923-01-01 | 1923-12-31
明治六年九月 | 1873-09 | 1873-09-01 | 1873-09-30
"""
ROWS = [tuple(cell.strip() for cell in line.split(" | ")) for line in TABLE.strip().splitlines()]


def _day(text: str) -> date | None:
    return None if text == "…" else date.fromisoformat(text)


@pytest.mark.parametrize(("written", "edtf", "first", "last"), ROWS, ids=[row[0] for row in ROWS])
def test_a_date_is_understood_with_its_bounds(written: str, edtf: str, first: str, last: str) -> None:
    found = understand(written)
    assert found is not None
    assert (found.edtf, found.earliest, found.latest) == (edtf, _day(first), _day(last))


@pytest.mark.parametrize(
    "written",
    ["", "date not known", "n.d.", "1920-02-30", "30 February 1920", "1930/1920", "民国0年", "甲午年",
     "光绪二十年十三月", "光绪三十年闰八月", "二十年代",
     "the year of the cat", "12/13/14", "/", "../..", "13th month 1920"],
)  # fmt: skip
def test_what_is_not_understood_has_no_bounds(written: str) -> None:
    assert understand(written) is None


LETTERS = "0123456789 cacirca?~–-/.,s年月日至约前后光绪民国元正闰一二三十世纪代初末XxtoJuly"


@given(st.text(max_size=40) | st.text(alphabet=LETTERS, max_size=20))
@example("0000-30")
@example("9999年12月31日后")
def test_no_date_however_odd_is_an_error_or_ends_before_it_starts(written: str) -> None:
    found = understand(written)
    if found and found.earliest and found.latest:
        assert found.earliest <= found.latest


@given(st.sampled_from([row[0] for row in ROWS]))
def test_the_edtf_said_means_the_same_days_again(written: str) -> None:
    found = understand(written)
    assert found is not None
    again = understand(found.edtf)
    assert again is not None
    assert (again.earliest, again.latest) == (found.earliest, found.latest)


@given(st.integers(1000, 2999), st.integers(1, 30))
def test_a_range_is_the_same_however_its_years_are_joined(first: int, span: int) -> None:
    last = first + span
    days = (date(first, 1, 1), date(last, 12, 31))
    for written in (
        f"{first}–{last}",
        f"{first} to {last}",
        f"{first}/{last}",
        f"{first}年至{last}年",
        f"{first}—{last}年",
    ):
        found = understand(written)
        assert found is not None, written
        assert (found.earliest, found.latest) == days, written


@given(st.sampled_from(sorted(set(ERAS) - {"民国", "昭和"})), st.integers(1, 61))
def test_a_reign_year_is_one_lunar_year_or_beyond_the_reign(era: str, number: int) -> None:
    found = understand(f"{era}{number}年")
    if ERAS[era].first + number - 1 > ERAS[era].last:
        assert found is None
    else:
        assert found is not None
        assert found.earliest is not None
        assert found.latest is not None
        # Both ends count. A year of twelve months has 353 to 355 days, one of thirteen 383 to 385.
        assert 353 <= (found.latest - found.earliest).days + 1 <= 385
