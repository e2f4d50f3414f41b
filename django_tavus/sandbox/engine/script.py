"""What the scripted replica says: always the same for the same words, and about them."""

from __future__ import annotations

QUESTIONS = (
    "You asked: “{text}” Let me think out loud with you. What have you tried so far?",
    "“{text}” is a fair question. I would begin with the smallest step that you can take today.",
    "Good that you ask “{text}” The short answer is yes, with care. Shall we go through it?",
)
STATEMENTS = (
    "I hear you: “{text}” Tell me a little more about that.",
    "So, “{text}” That makes sense. What would a good outcome look like for you?",
    "Noted: “{text}” Shall we stay with that, or is there something behind it?",
)
FAREWELLS = ("bye", "goodbye", "thank you", "thanks", "see you")
FAREWELL = "Thank you for talking with me. You said “{text}”, so I will let you go. Goodbye!"

QUOTED = 160
"""Characters of a person's words that an answer repeats."""


def greeting(replica_name: str) -> str:
    """The opening, where neither the conversation nor the persona has one."""
    return f"Hi, I am {replica_name}. What would you like to talk about?"


def answer(text: str, turn: int) -> str:
    """The answer to ``text``, the ``turn``-th thing that people said (from 0)."""
    words = " ".join(text.split())
    quoted = words if len(words) <= QUOTED else words[:QUOTED].rstrip() + "…"
    if words.lower().strip(" .!") in FAREWELLS:
        return FAREWELL.format(text=quoted)
    lines = QUESTIONS if words.endswith("?") else STATEMENTS
    return lines[turn % len(lines)].format(text=quoted)


def speaking_time(text: str) -> float:
    """Seconds that it takes to say ``text``, at about three words a second."""
    return round(max(0.6, len(text.split()) / 3), 2)


def perception_analysis(people: list[str], turns: int) -> str:
    """Markdown like the one that Tavus writes about a call."""
    who = ", ".join(people)
    return (
        "### Visual analysis\n\n"
        f"- **Participants:** {who}, indoors, evenly lit, looking at the screen.\n"
        "- **Expression:** attentive throughout, smiling at the end.\n\n"
        "### Conversation\n\n"
        f"- The person spoke {turns} time{'' if turns == 1 else 's'} and seemed at ease.\n"
    )
