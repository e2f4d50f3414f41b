"""A site of somebody else's, in a folder and processes of its own, without this suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SETTINGS = """
SECRET_KEY = "x"
ROOT_URLCONF = "urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_tavus",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}}
TAVUS = {"API_KEY": "x"}
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("tavus/", include("django_tavus.urls"))]
"""


class Site:
    """A folder with settings and URLs, and what a person may run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("settings.py", SETTINGS)
        self.write("urls.py", URLS)

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content)

    def set(self, **settings: object) -> None:
        """Change settings."""
        lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
        self.write("settings.py", SETTINGS + "".join(lines))

    def python(self, *arguments: str) -> str:
        """Run Python there with every warning an error; return what it printed."""
        environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": str(self.folder),
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
        return printed
