"""``make wheel``: build the wheel, install it into an empty environment, use it there.

An editable install finds files that a wheel may lack; this one has nothing but the wheel.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    "django_tavus/py.typed",
    "django_tavus/migrations/0001_initial.py",
    "django_tavus/static/django_tavus/",
    "django_tavus/templates/django_tavus/",
    "django_tavus/templates/admin/django_tavus/",
    "django_tavus/sandbox/assets/",
    "django_tavus/management/commands/tavus_sandbox.py",
)
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
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT))
        (wheel,) = Path(folder).glob("*.whl")
        check_contents(wheel)
        run(sys.executable, "-m", "check_wheel_contents", "--ignore", "W002,W004", str(wheel))
        target = Path(folder) / "venv"
        venv.create(target, with_pip=True)
        python = str(target / "bin" / "python")
        run(python, "-m", "pip", "install", "--quiet", str(wheel))
        run(python, "-W", "error::DeprecationWarning", "-c", TRY, cwd=folder)


def check_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    missing = [needed for needed in NEEDED if not any(name.startswith(needed) for name in names)]
    stray = [name for name in names if name.startswith(("tests/", "example_project/"))]
    if missing or stray:
        sys.exit(f"wheel lacks {missing}, holds {stray}")
    print(f"{wheel.name}: {len(names)} files, nothing missing")


def run(*command: str, cwd: str | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
