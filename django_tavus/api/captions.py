"""A transcript as text to read, and as WebVTT captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Turn = Mapping[str, Any]

SHORTEST = 1.0  # seconds for which a caption stays at least
LATEST = 360_000.0  # seconds: 100 hours; no call lasts as long, whatever Tavus may say
CHARACTERS_A_SECOND = 15.0  # the speed at which speech is spoken and captions are read


def as_text(turns: Sequence[Turn]) -> str:
    """Return one paragraph for each turn that says something: its time, where known, and who."""
    spoken = ((turn, turn["content"].strip()) for turn in turns)
    return "".join(f"{_stamp(turn)}{turn['role']}: {said}\n" for turn, said in spoken if said)


def _stamp(turn: Turn) -> str:
    start = _start(turn)
    return "" if start is None else f"[{clock(start)[:-4]}] "


def _start(turn: Turn) -> float | None:
    """Return when a turn began, if Tavus told, and it can be."""
    given: float | None = turn["seconds_from_start"]
    return None if given is None or given > LATEST else max(0.0, given)


def as_webvtt(turns: Sequence[Turn]) -> str:
    """Return the turns as WebVTT cues, in order of their beginning."""
    cues = [
        f"{number}\n{clock(start)} --> {clock(end)}\n<v {turn['role']}>{_escape(turn['content'])}\n"
        for number, (start, end, turn) in enumerate(timed(turns), start=1)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def timed(turns: Sequence[Turn]) -> Iterator[tuple[float, float, Turn]]:
    """Yield start, end (seconds) and turn for each turn that says something.

    Tavus gives times "where available". A turn without one begins where the one before ended, and
    one without duration lasts as long as it takes to say it.
    """
    clock_now = 0.0
    for turn in turns:
        if not turn["content"].strip():
            continue
        given = _start(turn)
        start = clock_now if given is None else given
        length = turn["duration"] or len(turn["content"]) / CHARACTERS_A_SECOND
        clock_now = start + min(LATEST, max(SHORTEST, length))
        yield start, clock_now, turn


def clock(seconds: float) -> str:
    """Return ``seconds`` as ``HH:MM:SS.mmm``."""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
    )


def _escape(content: str) -> str:
    """Return ``content`` as cue text: a blank line would end the cue, ``-->`` would start one."""
    lines = (line.strip() for line in content.splitlines())
    text = "\n".join(line for line in lines if line)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
