"""What Celery must be told about a broker."""

from __future__ import annotations

from celery import current_app
from django.core.checks import CheckMessage, Warning as Notice

from django_tavus.conf import TavusSettings

AMQP = ("amqp", "pyamqp", "py-amqp", "librabbitmq")


def broker_timeouts(current: TavusSettings) -> list[CheckMessage]:
    """W004: Redis without time-outs: a mute broker would hold every request that enqueues."""
    conf = current_app.conf
    url = str(conf.broker_write_url or conf.broker_url or "")
    options = conf.broker_transport_options or {}
    needed = ("socket_timeout", "socket_connect_timeout")
    if not url.startswith(("redis", "sentinel")) or all(options.get(name) for name in needed):
        return []
    hint = 'Set broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 1}.'
    return [Notice("The Redis broker has no socket time-outs.", hint=hint, id="django_tavus.W004")]


def prefetch_reduction(current: TavusSettings) -> list[CheckMessage]:
    """W008: RabbitMQ with Celery's default, with which a worker may stop for good.

    After a lost connection Celery lowers the prefetch count and raises it again bit by bit; a
    worker with a pool of threads was seen to take no more messages after some losses in a row.
    """
    conf = current_app.conf
    url = str(conf.broker_read_url or conf.broker_url or "")
    if not url.startswith(AMQP) or not conf.worker_enable_prefetch_count_reduction:
        return []
    hint = "Set worker_enable_prefetch_count_reduction = False."
    message = "A Celery worker may stop taking messages after it has lost RabbitMQ."
    return [Notice(message, hint=hint, id="django_tavus.W008")]
