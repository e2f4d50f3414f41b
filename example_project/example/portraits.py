"""Portraits: a friendly drawn face for every replica, always the same one for the same id.

Tavus has short preview videos of its faces. A sandbox has none and a browser may be offline, so
this is what lies below them: a picture made of shapes, without any file or service.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Look(NamedTuple):
    """Indices into the tables below; they wrap around."""

    scene: int
    skin: int
    hair: int
    style: int
    clothes: int
    cut: int
    glasses: bool = False
    beard: bool = False


SCENES = (
    ("#dbe7ff", "#a9c1f5"),
    ("#ffe8d6", "#f7c59f"),
    ("#d8f3e3", "#9fd8bd"),
    ("#efe0fb", "#c9a7ec"),
    ("#ffe3e8", "#f3a9b8"),
    ("#d9f0f7", "#93cfe0"),
)
SKINS = (  # the face, and its shade
    ("#f6d0b4", "#e7b795"),
    ("#eab68d", "#d69c70"),
    ("#c98e62", "#b0764b"),
    ("#96613c", "#7d4d2d"),
    ("#fbdcc8", "#efbfa4"),
    ("#6f4529", "#59351e"),
)
HAIRS = ("#2b2018", "#5b3a21", "#a8672f", "#d9a441", "#20242c", "#8d8f96", "#7a2f1d")
CLOTHES = (  # the cloth, and its lapel or hem
    ("#2f4b8f", "#243a70"),
    ("#8a3a5d", "#6d2c49"),
    ("#2f6f5e", "#235548"),
    ("#3b3f4a", "#2b2e37"),
    ("#b9562f", "#974322"),
    ("#5a4aa0", "#463a7e"),
)


class Hair(NamedTuple):
    """Hair behind the head and in front of it; {} is its color."""

    back: str
    front: str


CURLS = "".join(
    f'<circle cx="{x}" cy="{y}" r="{r}"/>'
    for x, y, r in (
        *((62, 96, 16), (60, 76, 17), (70, 58, 18), (88, 47, 18), (108, 46, 18), (128, 56, 18)),
        *((140, 76, 17), (138, 97, 16), (64, 114, 13), (137, 114, 13)),
    )
)
STYLES = (
    Hair(  # bob
        '<path fill="{}" d="M57 88C48 34 152 34 143 88l3 34c-8 14-22 12-26 6H80c-4 6-18 8-26-6z"/>',
        '<path fill="{}" d="M65 88c-1-40 71-42 70 0-8-18-20-24-34-24-4 10-22 12-36 24z"/>',
    ),
    Hair(  # side parting
        "",
        '<path fill="{}" d="M63 90C52 36 116 28 128 44c12 4 14 26 9 46-3-12-8-19-14-22'
        '-18 4-36 0-48-4-8 6-10 16-12 26z"/>',
    ),
    Hair(  # curls
        f'<g fill="{{}}">{CURLS}</g>',
        '<path fill="{}" d="M65 88C62 38 138 38 135 88c-6-14-15-20-23-21-8 5-16 5-24 0'
        '-8 1-17 7-23 21z"/>',
    ),
    Hair(  # short
        "",
        '<path fill="{}" d="M63 92C56 38 144 38 137 92c-2-14-6-22-13-26-16-5-32-5-48 0'
        '-7 4-11 12-13 26z"/>',
    ),
    Hair(  # long
        '<path fill="{}" d="M56 90C46 32 154 32 144 90c2 26 6 46 12 62-18 10-94 10-112 0'
        ' 6-16 10-36 12-62z"/>',
        '<path fill="{}" d="M65 90c-3-42 35-38 37-32 3-6 37-8 33 32-4-14-14-24-32-26'
        '-18 2-32 10-38 26z"/>',
    ),
    Hair(  # bun
        '<circle cx="100" cy="40" r="17" fill="{}"/>',
        '<path fill="{}" d="M63 92C56 38 144 38 137 92c-4-18-16-28-37-28s-33 10-37 28z"/>',
    ),
)
BEARD = (
    '<path fill="{}" d="M66 92c4 12 8 16 16 17 6-6 30-6 36 0 8-1 12-5 16-17 2 28-14 46-34 46'
    'S64 120 66 92z"/>'
)
GLASSES = (
    '<g fill="#fff" fill-opacity=".25" stroke="#2b2e37" stroke-width="2.4">'
    '<rect x="72" y="82" width="24" height="18" rx="8"/>'
    '<rect x="104" y="82" width="24" height="18" rx="8"/><path d="M96 89q4-3 8 0" fill="none"/></g>'
)
BODY = "M24 200c2-32 30-46 58-50h36c28 4 56 18 58 50z"
CUTS = (
    (  # blazer over a shirt
        '<path fill="{0}" d="' + BODY + '"/><path fill="#fff" d="M82 149l18 34 18-34z"/>'
        '<path fill="{1}" d="M82 149l18 36-10 15-24-46zM118 149l-18 36 10 15 24-46z"/>'
    ),
    (  # roll-neck
        '<path fill="{0}" d="' + BODY + '"/><rect x="80" y="134" width="40" height="21" rx="8"'
        ' fill="{0}"/><path stroke="{1}" stroke-width="2" d="M84 147h32"/>'
    ),
    (  # crew neck
        '<path fill="{0}" d="' + BODY + '"/><path fill="none" stroke="{1}" stroke-width="5"'
        ' d="M80 150c6 14 34 14 40 0"/>'
    ),
)
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="400" height="400">'
    '<defs><linearGradient id="scene" x1="0" y1="0" x2="1" y2="1"><stop stop-color="{scene[0]}"/>'
    '<stop offset="1" stop-color="{scene[1]}"/></linearGradient></defs>'
    '<rect width="200" height="200" fill="url(#scene)"/>'
    '<g fill="#fff" fill-opacity=".3"><circle cx="164" cy="52" r="30"/>'
    '<circle cx="30" cy="112" r="20"/></g>'
    "{back}"
    '<path fill="{skin[1]}" d="M84 118h32v28c0 14-32 14-32 0z"/>{body}'
    '<g fill="{skin[1]}"><circle cx="66" cy="95" r="7"/><circle cx="134" cy="95" r="7"/></g>'
    '<path fill="{skin[0]}" d="M66 84c0-34 68-34 68 0 0 32-12 52-34 52S66 116 66 84z"/>'
    '<g fill="#e8737a" fill-opacity=".22"><circle cx="78" cy="106" r="7"/>'
    '<circle cx="122" cy="106" r="7"/></g>{beard}'
    '<g fill="none" stroke="{hair}" stroke-width="3" stroke-linecap="round">'
    '<path d="M77 81q7-4.5 14-1M109 80q7-3.5 14 1"/></g>'
    '<g fill="#22262e"><ellipse cx="84" cy="91" rx="3.6" ry="4.4"/>'
    '<ellipse cx="116" cy="91" rx="3.6" ry="4.4"/></g>'
    '<g fill="#fff"><circle cx="85.3" cy="89.5" r="1.2"/>'
    '<circle cx="117.3" cy="89.5" r="1.2"/></g>'
    '<path fill="none" stroke="{skin[1]}" stroke-width="2.6" stroke-linecap="round"'
    ' d="M100 93c-1 5-4 9-2 11 1 1 3 1 4 0"/>'
    '<path fill="#fff" stroke="#9c3f45" stroke-width="2" stroke-linejoin="round"'
    ' d="M88 113q12 4 24 0-3 11-12 11t-12-11z"/>'
    "{front}{glasses}</svg>"
)

# Faces whose names are known do not leave their looks to chance.
KNOWN = {
    "anna": Look(0, 0, 2, 0, 0, 0),
    "benjamin": Look(1, 1, 0, 3, 3, 0, glasses=True, beard=True),
    "carla": Look(3, 2, 0, 2, 4, 2),
    "daniel": Look(2, 4, 5, 1, 2, 1, glasses=True),
}


def portrait(seed: str) -> str:
    """Return the SVG of whoever ``seed`` (a name or an id) names."""
    return draw(KNOWN.get(seed.lower()) or look_of(seed))


def look_of(seed: str) -> Look:
    """Return a look that depends on nothing but ``seed``; beards are left to those we know."""
    digest = hashlib.sha256(seed.encode("utf-8", "replace")).digest()
    scene, skin, hair, style, clothes, cut, glasses = digest[:7]
    return Look(scene, skin, hair, style, clothes, cut, glasses=glasses % 4 == 0)


def draw(look: Look) -> str:
    """Return the SVG of a look. Nothing in it comes from anybody's input."""
    hair = HAIRS[look.hair % len(HAIRS)]
    back, front = (part.format(hair) for part in STYLES[look.style % len(STYLES)])
    return FRAME.format(
        scene=SCENES[look.scene % len(SCENES)],
        skin=SKINS[look.skin % len(SKINS)],
        hair=hair,
        back=back,
        front=front,
        body=CUTS[look.cut % len(CUTS)].format(*CLOTHES[look.clothes % len(CLOTHES)]),
        beard=BEARD.format(hair) if look.beard else "",
        glasses=GLASSES if look.glasses else "",
    )
