"""Spans of presidio: ``run_presidio_spans.py FILE``, a JSON array of texts; prints JSON.

All recognisers by pattern of the languages below, at their own scores of 0.4 and more, which is
what remains of a pattern with check digits or with its context; the engines are blank.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NAMES = {
    "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "IP_ADDRESS": "IP", "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN", "CRYPTO": "WALLET", "US_SSN": "US_SSN", "UK_NINO": "UK_NINO",
    "UK_NHS": "UK_NHS", "DE_TAX_ID": "DE_TAX_ID", "ES_NIF": "ES_DNI",
    "IT_FISCAL_CODE": "IT_FISCAL_CODE", "IN_AADHAAR": "IN_AADHAAR", "IN_PAN": "IN_PAN",
    "KR_RRN": "KR_RRN",
}  # fmt: skip
LANGUAGES = ("en", "es", "it", "de", "ko")


def main() -> None:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {}
            for name in LANGUAGES:
                try:
                    self.nlp[name] = spacy.blank(name)
                except ImportError:  # a tokenizer of its own that is not installed
                    self.nlp[name] = spacy.blank("xx")

        def load(self) -> None:
            """There is nothing to load."""

    registry = RecognizerRegistry(supported_languages=list(LANGUAGES))
    engine_of = Blank()
    registry.load_predefined_recognizers(languages=list(LANGUAGES), nlp_engine=engine_of)
    registry.remove_recognizer("SpacyRecognizer")
    engine: Any = AnalyzerEngine(
        registry=registry, nlp_engine=engine_of, supported_languages=list(LANGUAGES)
    )
    known = {
        language: sorted(set(engine.get_supported_entities(language)) & set(NAMES))
        for language in LANGUAGES
    }
    print({language: len(names) for language, names in known.items()}, file=sys.stderr)
    found = []
    for text in json.loads(Path(sys.argv[1]).read_text("utf-8")):
        spans = set()
        for language, names in known.items():
            for one in engine.analyze(
                text=text, language=language, entities=names, score_threshold=0.4
            ):
                spans.add((one.start, one.end, NAMES[one.entity_type]))
        found.append(sorted(spans))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
