"""garak on the job that stands on stdin, its attempts in parallel; see ``engine_endpoint.py``."""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time

from garak import _config
from garak.generators.openai import OpenAICompatible
from garak.probes.base import Probe


class Given(Probe):
    """Asks the prompts as they are. At module level, because garak pickles it for its workers."""

    lang = "en"
    goal = "answer"
    prompts: tuple[str, ...] = ()


def cpu() -> float:
    """Processor seconds of this process and of the workers that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    job = json.load(sys.stdin)
    os.environ["OPENAICOMPATIBLE_API_KEY"] = "none"
    _config.load_base_config()
    _config.system.parallel_attempts = job["concurrency"]
    _config.system.max_workers = job["concurrency"]
    _config.run.generations = 1
    _config.transient.reportfile = io.StringIO()
    _config.plugins.generators["openai"]["OpenAICompatible"]["uri"] = job["url"] + "/"

    Given.prompts = tuple(job["prompts"])
    generator = OpenAICompatible(name="fixed", config_root=_config)
    probe = Given(config_root=_config)
    start, used = time.perf_counter(), cpu()
    attempts = list(probe.probe(generator))
    seconds, spent = time.perf_counter() - start, cpu() - used
    assert len(attempts) == len(job["prompts"])
    print(json.dumps({"requests": len(attempts), "seconds": seconds, "cpu_s": spent}))


if __name__ == "__main__":
    main()
