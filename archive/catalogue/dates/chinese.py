"""Chinese dates: Gregorian (1920年), the Republic's (民国二十六年七月), reigns (光绪三十年), periods (清末)."""

import re
import unicodedata

from archive.catalogue.dates import bounds
from archive.catalogue.dates.bounds import Bounds
from archive.catalogue.dates.reigns import (
    BRANCHES,
    ERAS,
    PERIODS,
    STEMS,
    in_reign,
    lunar,
    simplified,
    span_of,
)

DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "元": 1,
    "正": 1,
    "冬": 11,
    "腊": 12,
}
NUMERAL = "[0-9〇零一二三四五六七八九十百廿卅元]"
APPROXIMATE = re.compile(r"^(?:大约|约|大概)(?:为|于|在|摄于)?|(?:前后|左右|上下)$|^摄于约?")
UNCERTAIN = re.compile(r"^(?:可能|疑为|疑|或)|[??]$|\(\?\)$")
RANGE = re.compile(r"至|到|—+|–|~|〜|-|、|/|或")
DATE = re.compile(
    rf"(?P<era>公元|西元|[^\d〇零一二三四五六七八九十年月]{{2}})?(?P<year>{NUMERAL}{{1,5}}|[{STEMS}][{BRANCHES}])年"
    rf"(?:(?P<leap>闰)?(?P<month>正|冬|腊|{NUMERAL}{{1,3}})月(?:(?:初)?(?P<day>{NUMERAL}{{1,3}})[日号]?)?)?(?P<rest>.*)"
)
DECADE = re.compile(rf"(?:(?P<century>{NUMERAL}{{1,3}})世纪)?(?P<first>{NUMERAL}{{1,4}})年代(?P<part>.*)")
CENTURY = re.compile(rf"(?P<century>{NUMERAL}{{1,3}})世纪(?P<part>.*)")
DECADE_PARTS = {"": (0, 9), "初": (0, 3), "初期": (0, 3), "早期": (0, 3), "中": (4, 6), "中期": (4, 6), "末": (7, 9),
                "末期": (7, 9), "后期": (7, 9), "晚期": (7, 9)}  # fmt: skip
CENTURY_PARTS = {"": (0, 99), "初": (0, 32), "初期": (0, 32), "早期": (0, 32), "中": (33, 65), "中期": (33, 65),
                 "中叶": (33, 65), "末": (66, 99), "末期": (66, 99), "末叶": (66, 99), "晚期": (66, 99),
                 "后期": (66, 99),
                 "上半叶": (0, 49), "前半叶": (0, 49), "下半叶": (50, 99), "后半叶": (50, 99)}  # fmt: skip
YEAR_PARTS = {"初": (1, 4), "年初": (1, 4), "春": (3, 5), "春季": (3, 5), "夏": (6, 8), "夏季": (6, 8),
              "秋": (9, 11), "秋季": (9, 11),
              "中": (5, 8), "年中": (5, 8), "末": (9, 12), "底": (9, 12), "年底": (9, 12), "年末": (9, 12)}  # fmt: skip
MONTH_PARTS = {
    "上旬": (1, 10),
    "初": (1, 10),
    "中旬": (11, 20),
    "中": (11, 20),
    "下旬": (21, 31),
    "底": (21, 31),
    "末": (21, 31),
}


def read_chinese(text: str) -> Bounds | None:
    """Return what a date in Chinese means, or None. Traditional characters are read as the simplified ones."""
    plain = simplified(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).strip("[]()。."))
    plain, mark = _marks(plain)
    if not re.search(r"[\u3400-\u9fff〇]", plain):
        return None
    found = _opened(plain) or _single(plain) or _span(plain)
    return found.qualified(mark) if found else None


def _marks(text: str) -> tuple[str, str]:
    approximate, uncertain = APPROXIMATE.sub("", text), UNCERTAIN.sub("", text)
    rest = UNCERTAIN.sub("", APPROXIMATE.sub("", text))
    mark = {(0, 0): "", (1, 0): "~", (0, 1): "?", (1, 1): "%"}[(approximate != text, uncertain != text)]
    return rest, mark


def _opened(text: str) -> Bounds | None:
    if found := re.fullmatch(r"(.+?)(?:以前|之前|前)", text):
        return bounds.until(_single(found[1]))
    if found := re.fullmatch(r"(.+?)(?:以后|之后|以来|后)", text):
        return bounds.since(_single(found[1]))
    return None


def _span(text: str) -> Bounds | None:
    """Two dates with 至, 到 or a dash between; the second may leave out its era, its century or its year."""
    parts = RANGE.split(text)
    if len(parts) != 2 or not all(parts):
        return None
    first, second = parts
    whole = (
        first if re.search("[年月日代纪]", first) else first + re.sub(rf"^.*?{NUMERAL}+", "", second, count=1)
    )
    start = _single(whole)
    end = next((found for text in _completed(first, second) if (found := _single(text))), None)
    return bounds.between(start, end)


def _completed(first: str, second: str) -> list[str]:
    """The second end as it stands, and with what it may have taken over from the first."""
    era = re.match(r"[^\d〇零一二三四五六七八九十]{2}", first)
    to_year = re.match(r".*?年(?!代)", first)
    to_month = re.match(r".*?月", first)
    century = re.match(r".*?世纪", first)
    tails = [f"{era[0]}{second}"] if era and not re.match(r"公元|西元", first) else [second]
    tails += [f"{prefix[0]}{second}" for prefix in (to_year, to_month, century) if prefix]
    if (short := re.match(r"(\d{1,2})(?=年)", second)) and (long := re.match(r"\d{4}", first)):
        tails.insert(0, long[0][: 4 - len(short[1])] + second)
    return tails


def _single(text: str) -> Bounds | None:
    if text in PERIODS:
        return bounds.days(*PERIODS[text])
    if found := re.fullmatch(rf"({'|'.join(ERAS)})(?:年间|时期|朝|一朝|年)?", text):
        return span_of(found[1])
    if found := DECADE.fullmatch(text):
        return _decade(found)
    if found := CENTURY.fullmatch(text):
        first, part = (_number(found["century"]) - 1) * 100 + 1, CENTURY_PARTS.get(found["part"])
        return bounds.years(first + part[0], first + part[1]) if part else None
    if re.fullmatch(r"[0-9]{4}", text):
        return bounds.year(int(text))
    found = DATE.fullmatch(text)
    return _dated(found) if found else None


def _decade(found: "re.Match[str]") -> Bounds | None:
    first, part = _number(found["first"]), DECADE_PARTS.get(found["part"])
    if found["century"]:
        first = (_number(found["century"]) - 1) * 100 + first % 100
    if part is None or first < 1000:
        return None
    return bounds.decade(first) if part == (0, 9) else bounds.years(first + part[0], first + part[1])


def _dated(found: "re.Match[str]") -> Bounds | None:
    era = found["era"] or ""
    if era and era not in ERAS and era not in {"公元", "西元"}:
        return None
    month = _number(found["month"]) if found["month"] else 0
    day = _number(found["day"]) if found["day"] else 0
    if era in ERAS:
        y = (
            in_reign(era, found["year"])
            if found["year"][0] in STEMS
            else ERAS[era].year(_number(found["year"]))
        )
        if y is None:
            return None
        if not ERAS[era].gregorian(y):
            return lunar(y, month, day, leap=bool(found["leap"])) if not found["rest"] else None
        return _part(_gregorian(y, month, day), found["rest"])
    y = _number(found["year"]) if found["year"][0] not in STEMS else 0
    return _part(_gregorian(y, month, day), found["rest"]) if y >= 1000 else None


def _gregorian(y: int, month: int, day: int) -> Bounds | None:
    if day:
        return bounds.day(y, month, day)
    return bounds.month(y, month) if month else bounds.year(y)


def _part(whole: Bounds | None, rest: str) -> Bounds | None:
    """A season or a third of what was said; the whole where nothing more was."""
    if whole is None or whole.earliest is None or whole.latest is None or not rest:
        return whole
    first, last = whole.earliest, whole.latest
    if rest in YEAR_PARTS and (first.month, last.month) == (1, 12):
        return bounds.between(*(bounds.month(first.year, number) for number in YEAR_PARTS[rest]))
    if rest in MONTH_PARTS and first.month == last.month and first != last:
        low, high = MONTH_PARTS[rest]
        return bounds.days(first.replace(day=low), first.replace(day=min(high, last.day)))
    return None


def _number(text: str) -> int:
    """A number in Arabic or Chinese digits, positional (一九二〇) or with tens (二十六); 0 if it is none."""
    if text.isascii() and text.isdigit():
        return int(text)
    text = text.replace("廿", "二十").replace("卅", "三十")
    if not set(text) <= {*DIGITS, "十", "百", *"0123456789"}:
        return 0
    if "十" not in text and "百" not in text:
        return int("".join(str(DIGITS.get(character, character)) for character in text))
    if not re.fullmatch(r"(?:.百)?(?:零?.?十)?零?.?", text):
        return 0
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    total = DIGITS.get(hundreds, 0) * 100
    total += (DIGITS.get(tens.lstrip("零"), 1) * 10) if ten else 0
    return total + DIGITS.get(ones.lstrip("零"), 0)
