"""Runs another pipeline over JSON Lines: ``run_data.py WHAT FILE``; prints JSON.

WHAT: datatrove-signatures, datatrove-pii, presidio, rensa. Seconds are CPU time of one thread,
without the time to load.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    what, path = sys.argv[1], Path(sys.argv[2])
    texts = [json.loads(line)["text"] for line in path.open(encoding="utf-8")]
    seconds, said = PEERS[what](texts)
    print(json.dumps({"seconds": seconds, "documents": len(texts), "found": said}))


def _datatrove(texts: list[str]) -> list[Any]:
    from datatrove.data import Document

    return [Document(text=text, id=str(number)) for number, text in enumerate(texts)]


def datatrove_signatures(texts: list[str]) -> tuple[float, int]:
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(
            output_folder=folder, config=MinhashConfig(n_grams=5), language="en"
        )
        step.run(iter(_datatrove(["warm up"] * 2)), rank=1, world_size=2)
        documents = _datatrove(texts)
        start = time.process_time()
        step.run(iter(documents), rank=0, world_size=2)
        return time.process_time() - start, 0


def datatrove_pii(texts: list[str]) -> tuple[float, int]:
    from datatrove.pipeline.formatters import PIIFormatter

    step = PIIFormatter()
    step.format("warm a@b.example up")
    start = time.process_time()
    changed = sum(step.format(text) != text for text in texts)
    return time.process_time() - start, changed


def presidio(texts: list[str]) -> tuple[float, int]:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.predefined_recognizers import EmailRecognizer, IpRecognizer

    registry = RecognizerRegistry(recognizers=[EmailRecognizer(), IpRecognizer()])
    engine = AnalyzerEngine(registry=registry, nlp_engine=_blank(spacy), supported_languages=["en"])
    start = time.process_time()
    found = sum(
        len(engine.analyze(text=text, language="en", entities=["EMAIL_ADDRESS", "IP_ADDRESS"]))
        for text in texts
    )
    return time.process_time() - start, found


def _blank(spacy: Any) -> Any:
    """An engine without a model: patterns alone are compared."""
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}
            self.nlp["en"].max_length = 1 << 28

        def load(self) -> None:
            """There is nothing to load."""

    return Blank()


def rensa(texts: list[str]) -> tuple[float, int]:
    from rensa import RMinHash

    start = time.process_time()
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        grams = [" ".join(words[place : place + 5]) for place in range(max(1, len(words) - 4))]
        one = RMinHash(num_perm=112, seed=42)
        one.update(grams)
        one.digest()
    return time.process_time() - start, 0


PEERS = {
    "datatrove-signatures": datatrove_signatures,
    "datatrove-pii": datatrove_pii,
    "presidio": presidio,
    "rensa": rensa,
}

if __name__ == "__main__":
    main()
