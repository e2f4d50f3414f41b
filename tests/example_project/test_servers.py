from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_sqlite_url_names_a_file(load: Any) -> None:
    database = load("example/servers.py").database
    assert database("sqlite:////var/data/site.db")["NAME"] == "/var/data/site.db"
    assert database("sqlite:///site.db")["NAME"] == "site.db"


@pytest.mark.parametrize(
    ("scheme", "engine"),
    [
        ("postgres", "postgresql"),
        ("postgresql", "postgresql"),
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
    ],
)
def test_server_url_is_taken_apart(load: Any, scheme: str, engine: str) -> None:
    found = load("example/servers.py").database(f"{scheme}://me:p%40ss%2F@db.example:6543/site")
    assert found["ENGINE"] == f"django.db.backends.{engine}"
    assert (found["USER"], found["PASSWORD"]) == ("me", "p@ss/")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", 6543, "site")


def test_query_becomes_options(load: Any) -> None:
    url = "postgresql://db.example/site?sslmode=require"
    assert load("example/servers.py").database(url)["OPTIONS"] == {"sslmode": "require"}


def test_unknown_database_is_refused(load: Any) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        load("example/servers.py").database("oracle://db.example/site")


def test_redis_is_given_up_on_after_seconds(load: Any, tmp_path: Path) -> None:
    options = load("example/servers.py").broker_options("redis://127.0.0.1/0", tmp_path)
    assert options["socket_timeout"]
    assert options["socket_connect_timeout"]


def test_embedded_broker_keeps_to_its_folder(load: Any, tmp_path: Path) -> None:
    options = load("example/servers.py").broker_options("filesystem://", tmp_path)
    assert options["data_folder_in"] == options["data_folder_out"]
    folders = [Path(value) for name, value in options.items() if "folder" in name]
    assert all(folder.is_dir() and folder.parent == tmp_path for folder in folders)


def test_messages_of_the_embedded_broker_appear_whole(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = load("example/broker.py")
    channel = broker.Channel.__new__(broker.Channel)
    monkeypatch.setattr(broker.Channel, "data_folder_out", str(tmp_path), raising=False)
    monkeypatch.setattr(broker.Channel, "data_folder_in", str(tmp_path), raising=False)
    monkeypatch.setattr(broker.Channel, "store_processed", False, raising=False)
    write = Path.write_text
    seen: list[list[str]] = []

    def watched(path: Path, *args: Any, **kwargs: Any) -> int:
        size = write(path, *args, **kwargs)
        seen.append([name.name for name in tmp_path.glob("*.queue.msg")])
        return size

    monkeypatch.setattr(Path, "write_text", watched)
    channel._put("queue", {"body": "ä"})
    assert seen == [[]], "a reader could have found it half-written"
    assert channel._get("queue") == {"body": "ä"}
    assert list(tmp_path.iterdir()) == []
