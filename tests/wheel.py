"""``make wheel``: build sdist and wheel, install the wheel into an empty environment, use it there.

The wheel is built from the sdist, as a packager would.

An editable install finds files that a wheel may lack; this one has nothing but the wheel.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    "django_tavus/py.typed",
    "django_tavus/migrations/0001_initial.py",
    "django_tavus/locale/de/LC_MESSAGES/django.mo",
    "django_tavus/locale/es/LC_MESSAGES/django.mo",
    "django_tavus/static/django_tavus/",
    "django_tavus/templates/django_tavus/",
    "django_tavus/templates/admin/django_tavus/",
    "django_tavus/sandbox/assets/",
    "django_tavus/management/commands/tavus_sandbox.py",
)
IN_SDIST = (
    "CHANGELOG.md",
    "LICENSE",
    "MANIFEST.in",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "benchmarks/__main__.py",
    "django_tavus/py.typed",
    "docs/testing.md",
    "docs/images/",
    "docs/openapi.yml",
    "example_project/run.py",
    "example_project/example/templates/",
    "ruff.toml",
    "setup.cfg",
    "tests/conftest.py",
    "tests/frontends/project/package.json",
    "tests/services/test_launching.py",
    "tox.ini",
)
STRAY = ("__pycache__", ".pyc", ".sqlite3", "node_modules", ".venv")
TRY = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x",
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.messages", "django.contrib.sessions", "rest_framework", "django_tavus",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TAVUS={"API_KEY": "x"},
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
from django.template.loader import get_template
from django_tavus.models import CapacityLock
assert CapacityLock.objects.count() == 1
print("works from the wheel")
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "build", "--outdir", folder, str(ROOT))
        (wheel,) = Path(folder).glob("*.whl")
        (sdist,) = Path(folder).glob("*.tar.gz")
        check_sdist(sdist)
        check_contents(wheel)
        run(sys.executable, "-m", "check_wheel_contents", "--ignore", "W002,W004", str(wheel))
        target = Path(folder) / "venv"
        venv.create(target, with_pip=True)
        python = str(target / "bin" / "python")
        run(python, "-m", "pip", "install", "--quiet", str(wheel))
        run(python, "-W", "error::DeprecationWarning", "-c", TRY, cwd=folder)


def check_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    stray = [name for name in names if name.startswith(("tests/", "example_project/"))]
    tell(wheel, names, NEEDED, stray)


def check_sdist(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    stray = [name for name in names if any(part in name for part in STRAY)]
    tell(sdist, names, IN_SDIST, stray)


def tell(package: Path, names: list[str], needed: tuple[str, ...], stray: list[str]) -> None:
    missing = [path for path in needed if not any(name.startswith(path) for name in names)]
    if missing or stray:
        sys.exit(f"{package.name} lacks {missing}, holds {stray}")
    print(f"{package.name}: {len(names)} files, nothing missing")


def run(*command: str, cwd: str | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
