"""How many examples the property tests of the client try: `FUZZ_EXAMPLES`.

Two properties try as many each: 1,000 are 2,000 hostile responses.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1000"))

# A busy machine makes examples slow, which says nothing about the code.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

few = settings(max_examples=min(FUZZ_EXAMPLES, 100), **_PATIENT)
full = settings(max_examples=FUZZ_EXAMPLES, **_PATIENT)
