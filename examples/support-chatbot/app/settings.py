"""Settings of the service, from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    model_url: str
    model_name: str
    api_key: str
    database: str
    session_secret: str
    knowledge: Path
    max_question: int = 2_000  # characters
    max_tokens: int = 160


def load() -> Settings:
    """What the environment says; the defaults are for a developer's machine."""
    return Settings(
        model_url=os.environ.get("MODEL_URL", "http://127.0.0.1:8080/v1"),
        model_name=os.environ.get("MODEL_NAME", "smollm2-135m-instruct"),
        api_key=os.environ.get("MODEL_API_KEY", ""),
        database=os.environ.get("DATABASE", "orders.sqlite"),
        session_secret=os.environ["SESSION_SECRET"],
        knowledge=Path(os.environ.get("KNOWLEDGE", Path(__file__).parent / "knowledge")),
    )
