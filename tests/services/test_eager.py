"""``task_always_eager`` in a process that has loaded no tasks: a web server, a test, a shell."""

from __future__ import annotations

from django_tavus.services import enqueue
from django_tavus.testing.sandboxing import eager_tasks
from tests.testing.hosting import Site

LAUNCH = """
import sys
import django
from celery import Celery

app = Celery("site", broker="memory://")
app.conf.task_always_eager = True
app.autodiscover_tasks()
django.setup()

from django.core.management import call_command
from django_tavus.models import Conversation, Replica
from django_tavus.services import launch_conversation

call_command("migrate", verbosity=0)
replica = Replica.objects.create(tavus_id="r1", sync_state="in_sync", status="ready")
assert "django_tavus.tasks" not in sys.modules
conversation = launch_conversation(replica=replica)
conversation.refresh_from_db()
print(conversation.error_code)
"""


def test_a_task_runs_in_a_process_that_has_not_loaded_it(tmp_path):
    site = Site(tmp_path)
    site.write("asking.py", LAUNCH)
    site.set(TAVUS={"API_KEY": "x", "BASE_URL": "http://127.0.0.1:9/v2"})
    assert site.python("asking.py").startswith("tavus_unavailable")  # Tavus has been asked for it


def test_tasks_run_here_although_the_broker_was_away_a_moment_ago(monkeypatch, transactional_db):
    ran = []
    resting = enqueue.Publisher()
    resting.resting_until = float("inf")
    monkeypatch.setattr(enqueue._Process, "publisher", resting)
    monkeypatch.setattr(enqueue, "_publish", lambda name, args: ran.append(name))
    with eager_tasks():
        enqueue.enqueue("start_queued")
    assert ran == ["django_tavus.start_queued"]


def test_a_task_that_raises_does_not_reach_who_has_sent_it(monkeypatch, transactional_db, caplog):
    def fail(name, args):
        raise RuntimeError("no")

    monkeypatch.setattr(enqueue, "_publish", fail)
    with eager_tasks():
        enqueue.enqueue("start_queued")
    assert caplog.messages == ["django_tavus.start_queued failed"]
