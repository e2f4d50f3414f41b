"""Random schedules: whatever is lost, doubled, late, forged or killed, the row ends up the same.

What a row has to say in the end is read off the remote story alone, so every schedule of one
story is held to the same row.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from django_tavus import signals
from django_tavus.models import Conversation, OutboxEntry, Utterance, WebhookEvent
from django_tavus.sandbox import RoomRefusal
from django_tavus.services import end_conversation, launch_conversation, reconciling, sweeping
from django_tavus.testing import deliver_callback
from django_tavus.testing.callbacks import post
from tests.prove.scale import SCALE, sizes
from tests.prove.timeline import timeline

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

CREATE = {"method": "POST", "path": "/v2/conversations"}
CREATE_FAULTS = ["cut_before", "cut_after", "timeout_after", "status_after:502", "garbled"]
SECOND = timedelta(seconds=1)
MARKED = "sent_at"  # in the UPDATE that marks an entry of the outbox as sent
ONCE = {
    "conversation_launched": lambda row: row.tavus_id is not None,
    "conversation_ended": lambda row: row.status == "ended",
    "conversation_failed": lambda row: row.status == "failed",
    "replica_joined": lambda row: row.joined_at is not None,
    "transcript_ready": lambda row: row.turns is not None,
    "perception_ready": lambda row: bool(row.perception_analysis),
}


class Crash(BaseException):
    """``kill -9``: nothing catches it, open transactions are rolled back."""


class Crashes:
    """Kills the process at a chosen statement, before a signal is sent, or before it is marked."""

    def __init__(self):
        self.statements_left = None
        self.before_sending = False
        self.before_marking = False
        self.sent = Counter()
        self.last = None
        self.doubled = Counter()  # signals between whose sending and marking a crash was placed
        self.count = Counter()

    def disarm(self):
        self.statements_left, self.before_sending, self.before_marking = None, False, False

    def at_statement(self, execute, sql, params, many, context):
        if self.statements_left is not None:
            self.statements_left -= 1
            if self.statements_left <= 0:
                self.disarm()
                if sql.startswith("UPDATE") and "outboxentry" in sql and MARKED in sql:
                    self._between("statement")
                self.count["statement"] += 1
                raise Crash
        return execute(sql, params, many, context)

    def before(self, **kwargs):
        if self.before_sending:
            self.disarm()
            self.count["before sending"] += 1
            raise Crash

    def record(self, name, subject, event):
        self.last = (name, subject.pk, event.pk if name == "webhook_received" else None)
        self.sent[self.last] += 1

    def after(self, **kwargs):
        if self.before_marking:
            self.disarm()
            self._between("before marking")
            raise Crash

    def _between(self, kind):
        self.count[kind] += kind != "statement"
        self.doubled[self.last] += 1

    @contextmanager
    def connected(self):
        """Three receivers of every signal, in this order: axe, recorder, axe."""
        receivers = []
        for name, signal in vars(signals).items():
            if not isinstance(signal, signals.Signal):
                continue

            def record(name=name, event=None, sender=None, signal=None, **subject):
                self.record(name, next(iter(subject.values())), event)

            for receiver in (self.before, record, self.after):
                signal.connect(receiver, weak=False)
                receivers.append((signal, receiver))
        with connection.execute_wrapper(self.at_statement):
            yield
        for signal, receiver in receivers:
            signal.disconnect(receiver)


class Schedule:
    """One random schedule of a few conversations."""

    def __init__(self, seed, line, persona, crashes):
        self.chance = random.Random(seed)
        self.line, self.persona, self.crashes = line, persona, crashes
        self.rows = []
        self.ids = {}
        self.over = {}
        self.log = []

    def run(self):
        for _ in range(self.chance.randint(1, 3)):
            self.launch()
        for _ in range(self.chance.randint(15, 45)):
            act = self.chance.choices(list(ACTIONS), weights=list(ACTIONS.values()))[0]
            self.log.append(act.__name__)
            if self.chance.random() < 0.12:
                self.place_crash()
            with suppress(Crash):
                act(self)
            self.crashes.disarm()
            self.check_forward()
        self.come_to_rest()
        for row in self.rows:
            self.check(row)
        assert not self.line.sandbox.engine.conversations.active()

    # --- what may happen ----------------------------------------------------------------------

    def launch(self):
        number = len(self.rows)
        row = launch_conversation(
            persona=self.persona,
            conversational_context=f"launch {number}",
            properties={"participant_absent_timeout": 120, "max_call_duration": 400},
        )
        self.rows.append(row)

    def place_crash(self):
        kind = self.chance.choice(["statement", "statement", "before", "between"])
        self.log.append(f"crash {kind}")
        if kind == "statement":
            self.crashes.statements_left = self.chance.randint(1, 25)
        elif kind == "before":
            self.crashes.before_sending = True
        else:
            self.crashes.before_marking = True

    def time(self):
        self.line.pass_time(self.chance.choice([0.3, 1, 3, 8, 20, 45]))

    def deliver(self):
        if self.line.mail:
            mail = self.line.mail
            callback = mail[self.chance.randrange(len(mail))]
            if self.chance.random() < 0.7:  # else it is delivered again later
                mail.remove(callback)
            assert self.line.deliver(callback).status_code == 200

    def drop(self):
        if self.line.mail:
            self.line.mail.pop(self.chance.randrange(len(self.line.mail)))

    def work(self):
        messages = self.line.worker.messages
        if messages:
            index = self.chance.randrange(len(messages))
            if self.chance.random() < 0.1:
                messages.append(messages[index])
            if messages[index][0] == "django_tavus.launch_conversation":
                self.maybe_break_the_create()
            self.line.run_message(index)
            self.line.sandbox.faults.clear()

    def maybe_break_the_create(self):
        if self.chance.random() < 0.4:
            fault = self.chance.choice(CREATE_FAULTS)
            self.log.append(fault)
            self.line.sandbox.faults.add(fault, times=1, **CREATE)

    def lose_message(self):
        messages = self.line.worker.messages
        if messages:
            messages.pop(self.chance.randrange(len(messages)))

    def sweep(self):
        sweeping.sweep()

    def reconcile(self):
        if self.chance.random() < 0.2:
            self.line.sandbox.faults.add("status:501", method="GET", times=1)
        reconciling.reconcile()
        self.line.sandbox.faults.clear()

    def end(self):
        end_conversation(fresh(self.chance.choice(self.rows)))

    def visit(self):
        """People come, talk and go, in the rooms that they can know of."""
        row = fresh(self.chance.choice(self.rows))
        if not row.is_joinable:
            return
        sandbox, room = self.line.sandbox, row.tavus_id
        with suppress(RoomRefusal):
            if not sandbox.conversation(room).participants:
                sandbox.join(room)
            elif self.chance.random() < 0.7:
                sandbox.say(room, "user", f"This is sentence {self.chance.randint(1, 999)}.")
            else:
                sandbox.leave(room)

    def forge_token(self):
        row = self.chance.choice(self.rows)
        body = {"conversation_id": "c1", "event_type": "system.shutdown"}
        assert (
            post(f"/tavus/callbacks/conversation.{row.pk.hex}.1abcde.x/", body).status_code == 404
        )

    def forge_foreign(self):
        """The credential of one conversation, the id of another."""
        rows = [fresh(row) for row in self.rows]
        known = [row for row in rows if row.tavus_id]
        if len(known) > 1:
            token, told = self.chance.sample(known, 2)
            body = {"conversation_id": told.tavus_id, "event_type": "system.shutdown"}
            assert deliver_callback(token, body).status_code == 200

    def forge_end(self):
        """A leaked URL: an end that never was, at a time and for a reason of its own."""
        row = fresh(self.chance.choice(self.rows))
        if row.tavus_id:
            body = {
                "conversation_id": row.tavus_id,
                "event_type": "system.shutdown",
                "timestamp": (timezone.now() - timedelta(hours=1)).isoformat(),
                "properties": {"shutdown_reason": "forged"},
            }
            assert deliver_callback(row, body).status_code == 200

    # --- what must hold -----------------------------------------------------------------------

    def check_forward(self):
        for row in Conversation.objects.all():
            if row.pk in self.over:
                assert row.status == self.over[row.pk], "what is over does not come back"
            elif row.is_over:
                self.over[row.pk] = row.status
            if row.pk in self.ids:
                assert row.tavus_id == self.ids[row.pk], "a room was swapped for another"
            elif row.tavus_id:
                self.ids[row.pk] = row.tavus_id

    def come_to_rest(self):
        """The rest of the mail arrives or is lost; then only the schedule runs."""
        while self.line.mail and self.chance.random() < 0.8:
            self.deliver()
        looks = {row.pk: row.checks_made for row in Conversation.objects.over()}
        for _ in range(60):
            self.line.beat()
            self.line.mail.clear()
            self.check_forward()
            if self.is_at_rest(looks):
                return
            self.line.pass_time(50)
        raise AssertionError("it does not come to rest")

    def is_at_rest(self, looks):
        return not (
            Conversation.objects.live().exists()
            or Conversation.objects.filter(end_owed=True).exists()
            or WebhookEvent.objects.filter(status="received").exists()
            or OutboxEntry.objects.filter(sent_at__isnull=True).exists()
            or not all(self.was_looked_at(row, looks) for row in Conversation.objects.all())
            or self.line.sandbox.engine.conversations.active()
        )

    def was_looked_at(self, row, looks):
        """Whether reconciling had its say since the end: until then a forged one may stand."""
        if row.tavus_id is None or row.next_check_at is None:
            return True
        nobody_came = not self.line.sandbox.conversation(row.tavus_id).visitors
        # Nobody came: nothing was said, and Tavus is asked again for 72 hours.
        return nobody_came and row.checks_made >= looks.get(row.pk, 0) + 2

    def check(self, row):
        row = fresh(row)
        made = self.line.rooms_of(row)
        self.check_signals(row)
        assert WebhookEvent.objects.filter(status="failed").count() == 0
        if row.tavus_id is None:
            assert row.status in ("ended", "failed")
            assert row.error_code == ("" if row.status == "ended" else "outcome_unknown")
            assert row.status == "failed" or row.shutdown_reason == "cancelled"
            assert row.attempts > 0 or made == [], "cancelled in the queue, and yet launched"
            return
        room = self.line.sandbox.conversation(row.tavus_id)
        assert (row.status, row.error_code, row.orphan_ids) == ("ended", "", [])
        assert room in made
        assert row.conversation_url == room.conversation_url
        assert row.launched_at == room.created_at
        assert abs(row.ended_at - room.ended_at) < SECOND
        assert row.shutdown_reason == room.shutdown_reason
        self.check_joined(row, room)
        said = list(Utterance.objects.filter(conversation=row).values_list("content", flat=True))
        told = [turn.content for turn in room.turns] if room.visitors else []
        assert said == told
        assert bool(row.perception_analysis) == bool(room.visitors)

    def check_joined(self, row, room):
        if room.replica_joined_at is None:
            assert row.joined_at is None
        else:
            joined = room.replica_joined_at
            assert row.joined_at.replace(microsecond=0) == joined.replace(microsecond=0)

    def check_signals(self, row):
        for name, is_owed in ONCE.items():
            key = (name, row.pk, None)
            owed = int(is_owed(row))
            allowed = owed + self.crashes.doubled[key]
            assert owed <= self.crashes.sent[key] <= allowed, (key, self.crashes.sent[key], owed)
        for event in WebhookEvent.objects.filter(conversation=row, status="processed"):
            key = ("webhook_received", row.pk, event.pk)
            assert 1 <= self.crashes.sent[key] <= 1 + self.crashes.doubled[key], key


ACTIONS = {
    Schedule.time: 20,
    Schedule.deliver: 16,
    Schedule.work: 26,
    Schedule.visit: 14,
    Schedule.drop: 3,
    Schedule.lose_message: 3,
    Schedule.sweep: 6,
    Schedule.reconcile: 5,
    Schedule.end: 1,
    Schedule.forge_token: 1,
    Schedule.forge_foreign: 2,
    Schedule.forge_end: 0.5,
}


def fresh(row):
    return Conversation.objects.get(pk=row.pk)


def start_over(line):
    """Forget everything, here and at Tavus, faster than a flush."""
    for model in (Utterance, OutboxEntry, WebhookEvent):
        model.objects.all().delete()
    Conversation.objects.update(status="ended")
    Conversation.objects.all().delete()
    line.worker.messages.clear()
    line.mail.clear()
    line.sandbox.reset()
    line.add_stock()


def test_every_schedule_ends_in_the_same_row(tavus_sandbox, worker, settings):
    # One dict, changed in place: each assignment would lie above all those before it.
    ours = settings.TAVUS = {**settings.TAVUS, "TIMEOUT": (1, 2), "RECONCILE_AFTER": 10}
    totals, outcomes = Counter(), defaultdict(int)
    count = sizes("schedules")["schedules"]
    with timeline(tavus_sandbox, worker) as line:
        persona = line.make_persona()
        for seed in range(count):
            ours["PUBLIC_URL"] = "https://site.example" if seed % 3 else ""
            crashes = Crashes()
            schedule = Schedule(seed, line, persona, crashes)
            with crashes.connected():
                try:
                    schedule.run()
                except Exception as error:
                    error.add_note(f"seed {seed}: {', '.join(schedule.log)}")
                    raise
            totals += crashes.count
            totals["signals"] += sum(crashes.sent.values())
            totals["sent twice"] += sum(n - 1 for n in crashes.sent.values())
            for row in Conversation.objects.all():
                outcomes[row.shutdown_reason or row.error_code] += 1
            start_over(line)
    assert outcomes.keys() > {"cancelled", "end_conversation_endpoint_hit"}
    print(
        f"\nproof 3 {connection.vendor} ({SCALE}): {count} schedules, "
        f"{sum(outcomes.values())} conversations, {dict(totals)} -> all rows as Tavus tells "
        f"them: {dict(outcomes)}"
    )
