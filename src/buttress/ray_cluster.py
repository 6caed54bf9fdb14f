"""Joins a Ray cluster, or begins one on this machine."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any, Final

from buttress.errors import InputError, MissingExtraError

LOCAL: Final = "local"
_STARTS: Final = 2  # of a cluster on this machine


def start_cluster(processors: int, *, asked_by: str) -> bool:
    """Join the cluster at RAY_ADDRESS, else begin one here; whether one was joined or begun now.

    Without RAY_ADDRESS no cluster is looked for: one that happens to run here is somebody else's.

    Args:
        processors: fewest processors of a cluster that is begun here.
        asked_by: the option that needs it, for messages.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: there is none at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_agent_register_timeout_ms", "60000")  # of a slow machine
    try:
        import ray
    except ImportError:
        raise MissingExtraError(f"{asked_by} ray", "ray") from None
    if ray.is_initialized():
        return False
    address = os.environ.get("RAY_ADDRESS") or LOCAL
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    options: dict[str, Any] = {}
    if address == LOCAL:
        options = {
            "num_cpus": max(processors, os.cpu_count() or 1),
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
            "object_store_memory": 128 * 2**20,
        }
    try:
        for attempt in range(_STARTS):
            try:
                ray.init(
                    address=address, log_to_driver=False, logging_level=logging.ERROR, **options
                )
                break
            except Exception as error:  # Ray raises it where a machine is slow to start its node
                ray.shutdown()
                if address != LOCAL or attempt == _STARTS - 1:
                    raise InputError(
                        f"no Ray cluster at {address} ({last_line(error)})", field=asked_by,
                        expected="RAY_ADDRESS of a cluster that runs, or none",
                    ) from None  # fmt: skip
    finally:
        for number, handler in handlers.items():
            try:
                signal.signal(number, handler)
            except (ValueError, TypeError):  # not in the main thread
                break
    return True


def last_line(error: BaseException) -> str:
    """The last line of an error's message, which of Ray's says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
