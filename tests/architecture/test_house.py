"""The plan of the house, held by tests."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = {
    ".py": 350,
    ".js": 350,
    ".html": 350,
    ".css": 450,
}  # lines; past that a file is asking to be two
# Put together here, so that this file does not hold what it forbids.
REGISTRIES = [
    re.compile(pattern)
    for pattern in (
        r"https?://[\w.-]*pypi\." + r"org/simple",
        r"files\.python" + r"hosted\.org",
        r"registry\." + r"npmjs\.org",
        r"download\.pytorch" + r"\.org",
        r"--(extra-)?index" + r"-url",
    )
]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    if not paths:
        pytest.skip("not a git checkout")
    return [path for path in paths if path.is_file()]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_web_process_never_loads_torch() -> None:
    """Every address is resolved too, since views are what a web process imports last."""
    code = (
        "import sys, archive.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().reverse_dict\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'torch', 'workers', 'safetensors'}])"
    )
    found = python(code)
    assert found.stdout.strip() == "[]", found.stdout + found.stderr


def test_the_io_worker_and_the_scheduler_never_load_torch() -> None:
    found = python("import sys, workers.io, archive.celery; print('torch' in sys.modules)")
    assert found.stdout.strip() == "False", found.stderr


@pytest.mark.parametrize("part", ["recipe", "cards", "errors", "imageio"])
def test_what_the_archive_uses_of_the_stylizer_carries_no_torch(part: str) -> None:
    code = (
        f"import sys, stylizer.{part}; print([n for n in ('torch', 'django', 'celery') if n in sys.modules])"
    )
    found = python(code)
    assert found.stdout.strip() == "[]", found.stdout + found.stderr


def test_imports_keep_the_contracts() -> None:
    found = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.django_db
def test_migrations_say_what_the_models_say() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0, skip_checks=True)


def test_no_tracked_file_names_a_package_registry() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {hit.group()}" for one in REGISTRIES for hit in one.finditer(text)
        ]
    assert found == []


def test_the_lock_file_names_versions_and_digests_but_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert locked
    assert all("resolved" not in entry and "integrity" in entry for entry in locked.values())


def test_every_python_package_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    assert "torch==2.13.0" in pins


def test_no_file_outgrows_its_reader() -> None:
    code = [path for path in tracked("*.py", "*.js", "*.css", "*.html") if "migrations" not in path.parts]
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in code}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_FILE[path.suffix]} == {}


def test_only_the_services_write_versions_files_and_events() -> None:
    """`catalogue.services` are the only writers; a row written elsewhere has no event and no rules."""
    writes = re.compile(
        r"\b(Version|StoredFile|Event)\.objects\.(create|bulk_create|get_or_create|update_or_create)\b"
    )
    allowed = ("archive/catalogue/services",)
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in tracked("archive/*.py", "workers/*.py")
        if not str(path.relative_to(ROOT)).startswith(allowed)
        for hit in writes.finditer(path.read_text())
    ]
    assert found == []


def test_the_archives_own_tests_do_without_torch() -> None:
    """They import every view, service and command; here with torch out of reach."""
    code = (
        "import sys; sys.modules.update(torch=None, safetensors=None); import pytest\n"
        "sys.exit(pytest.main(['tests/archive', '--collect-only', '-q', '-p', 'no:cacheprovider']))"
    )
    found = python(code)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
