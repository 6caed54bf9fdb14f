"""Which models a host says that it serves, and which builds of them, from answers of all products.

The list of OpenAI's API, with what vLLM (``root``) and LiteLLM add, and that of Ollama, with the
digest of each model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from buttress.files.visible import shortened
from buttress.probes.infrastructure.products import ProductAnswers
from buttress.protocols.live import LiveFact, LiveRequest

SERVED_MODELS: Final = "served models"
_LISTS: Final = (("/v1/models", "data", "id", "root"), ("/api/tags", "models", "name", "digest"))
_MOST: Final = 200


async def served_models(answers: ProductAnswers) -> LiveFact | None:
    """The models, each as its name, or ``name = build`` where a build is told; None for none."""
    found: dict[str, None] = {}
    for path, place, name, build in _LISTS:
        request = LiveRequest("GET", path)
        answer = await answers.get(request)
        if answer is None or answer.reply.status != 200:
            continue
        texts = list(_told(answer.json, place, name, build))
        if texts and not await answers.is_of_any_path(request):
            found.update(dict.fromkeys(texts))
    return LiveFact(SERVED_MODELS, tuple(sorted(found)[:_MOST])) if found else None


def _told(data: Any, place: str, name: str, build: str) -> Iterator[str]:
    rows = data.get(place) if isinstance(data, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get(name), str):
            told = row.get(build)
            suffix = f" = {told}" if isinstance(told, str) and told else ""
            yield shortened(row[name]) + shortened(suffix)
