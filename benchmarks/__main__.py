"""``python -m benchmarks [callbacks] [processing] [launches] [memory]``; ``SCALE=full``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks import brokers, scale
from benchmarks.database import fresh_database

NAMES = ("callbacks", "processing", "launches", "memory")


def main() -> None:
    """Run the named benchmarks, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}")
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(f"SCALE={scale.NAME}, {os.cpu_count()} processors")
    failed = []
    for name in names:
        with fresh_database() as database:
            if not _run(name, database):
                failed.append(name)
    if failed:
        sys.exit(f"These did not come to an end: {', '.join(failed)}")


def _run(name: str, database: str) -> bool:
    """Run one benchmark in a child, so that none inherits the memory of another."""
    site = {
        "BENCHMARK_DATABASE": database,
        "BENCHMARK_BROKER": brokers.REDIS,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    }
    command = [sys.executable, "-m", "benchmarks.one", name]
    return subprocess.run(command, check=False, env={**os.environ, **site}).returncode == 0


if __name__ == "__main__":
    main()
