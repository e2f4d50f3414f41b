"""Replicas (Faces): the face and voice of an agent."""

from __future__ import annotations

from django_tavus.client.resources.base import Creatable, HardDeletable, Listed, VerboselyGettable
from django_tavus.client.retry import Kind
from django_tavus.client.vocabulary import REPLICAS


class Replicas(Listed, VerboselyGettable, Creatable, HardDeletable):
    """`/replicas`. A finished one has status `completed` here and `ready` in its callback."""

    facts = REPLICAS

    def rename(self, replica_id: str, replica_name: str) -> None:
        """Give a replica another name: the only thing of it that can be changed."""
        self._transport.send(
            self._call(
                "PATCH",
                "name",
                kind=Kind.CHANGE,
                tavus_id=replica_id,
                body={"replica_name": replica_name},
                wants_body=False,  # documented 200 with a body, observed 204
            )
        )
