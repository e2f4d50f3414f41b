"""The code of docs/frontends.md in a project of its own, made by the commands of that page."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "frontends.md"
HERE = Path(__file__).resolve().parent
# A workshop for each test process: one that builds empties src/ while the other compiles it.
WORKSHOP = ROOT / "artifacts" / "frontends" / os.environ.get("PYTEST_XDIST_WORKER", "alone")
FILES = ("package.json", "package-lock.json", "tsconfig.json", "css-modules.d.ts")
SOURCE = re.compile(r"```tsx?\n// (src/\S+)\n(.*?)```", re.DOTALL)
TYPED = re.compile(r"```tsx?\n")
MARKUP = re.compile(r"```html\n(.*?)```", re.DOTALL)


def fetch_frontend() -> str:
    """Return the one page of HTML."""
    (markup,) = MARKUP.findall(PAGE.read_text())
    return str(markup)


def sources() -> dict[str, str]:
    """Return the TypeScript by the file that its first line names."""
    text = PAGE.read_text()
    named = dict(SOURCE.findall(text))
    assert len(named) == len(TYPED.findall(text)), "a block without a file is not compiled"
    return named


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the workshop, without anything it could ask or report to anyone."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=WORKSHOP,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1", "CI": "1", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def done(*command: str | Path) -> None:
    """Run a command that must succeed."""
    result = run(*command)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"


def tool(name: str) -> Path:
    """Return a program of the project."""
    return WORKSHOP / "node_modules" / ".bin" / name


@cache
def project() -> Path:
    """Return the project, built once in a session."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.fail("node and npm are needed for docs/frontends.md (apt-get install nodejs npm)")
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(HERE / "project" / name, WORKSHOP / name)
    install()
    shutil.rmtree(WORKSHOP / "src", ignore_errors=True)
    (WORKSHOP / "src").mkdir()
    generate()
    for name, code in sources().items():
        (WORKSHOP / name).write_text(code)
    return WORKSHOP


def install() -> None:
    """Install what the lock file names, unless that is what is there."""
    stamp = WORKSHOP / ".installed"
    wanted = hashlib.sha256((WORKSHOP / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and tool("tsc").exists():
        return
    stamp.unlink(missing_ok=True)
    done("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def generate() -> None:
    """Write the types of the API, and Tavus's components."""
    django = (sys.executable, "-m", "django")
    settings = ("--settings", "tests.frontends.settings")
    done(*django, "spectacular", *settings, "--validate", "--file", "schema.yml")
    done(tool("openapi-typescript"), "schema.yml", "--output", "src/schema.d.ts")
    # What `init` writes and would ask for; the libraries that it installs are in package.json.
    (WORKSHOP / "cvi-components.json").write_text('{ "tsx": true }\n')
    done(tool("cvi-ui"), "add", "conversation", "--silent")


def bundle_all() -> None:
    """Build every page's script: a browser would not wait that long for a first answer."""
    for entry in sorted((HERE / "entries").iterdir()):
        bundle(entry.name)


@cache
def bundle(entry: str) -> tuple[str, str]:
    """Return script and style of ``entries/<entry>``, with the project's code in it."""
    shutil.copy(HERE / "entries" / entry, project() / entry)
    out = WORKSHOP / "dist" / entry
    options = ("--bundle", "--format=esm", "--jsx=automatic", "--log-level=warning")
    define = '--define:process.env.NODE_ENV="production"'
    done(tool("esbuild"), entry, *options, define, f"--outfile={out.with_suffix('.js')}")
    style = out.with_suffix(".css")
    return out.with_suffix(".js").read_text(), style.read_text() if style.exists() else ""
