"""What the documents promise about the surroundings is what the code asks for."""

import re
from pathlib import Path

from django.conf import settings

from archive import settings as ours

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"PORT", "PALIMPSEST_BIND", "PALIMPSEST_DEMO_PASSWORD"}  # asked for by `up` and `demo`


def test_every_variable_is_explained_and_no_other() -> None:
    assert settings.configured
    guide = (ROOT / "docs" / "operations.md").read_text()
    table = guide[guide.index("## Variables") : guide.index("## The private servers")]
    explained = set(re.findall(r"`((?:PALIMPSEST_|DATABASE_|REDIS_|PORT)\w*)`", table))
    assert explained == ours.env.known | ELSEWHERE


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []
