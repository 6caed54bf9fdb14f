"""For all tests: a mistake of an inspector fails the test instead of becoming a note.

A test's name holds no bytes. An archive packed a second later has other bytes, and worker processes
with other names for the same test refuse to start.

Property tests have no deadline: how long an example takes says more about the machine than about
the code. They try the same examples in every run, so that a change is judged by what it changed.
``HYPOTHESIS_PROFILE=thorough`` tries others in each run, and ten times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ["BUTTRESS_DEBUG"] = "1"

settings.register_profile(
    "buttress", deadline=None, suppress_health_check=(HealthCheck.too_slow,), derandomize=True
)
settings.register_profile(
    "thorough", settings.get_profile("buttress"), derandomize=False, max_examples=1000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "buttress"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    return argname if isinstance(val, bytes | bytearray) else None
