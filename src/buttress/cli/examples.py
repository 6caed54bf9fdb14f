"""Examples at the end of each command's help, by command. A test parses every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "buttress init shop-bot          # write shop-bot/buttress.yaml",
        "buttress assess shop-bot        # ask, judge, decide, report",
        "buttress scan . --fail-on high  # files only, no manifest needed",
    ),
    "init": ("buttress init", "buttress init shop-bot --no-ports"),
    "assess": (
        "buttress assess",
        "buttress assess shop-bot --budget 500 --out out/shop-bot",
        "buttress assess shop-bot --only harmful-compliance,secrets --policy strict",
        "buttress assess shop-bot --out out/shop-bot --resume",
    ),
    "ask": (
        "buttress ask shop-bot --prompt 'How do I bake bread?'",
        "buttress ask shop-bot --asset chat-model --json",
    ),
    "measure": (
        "buttress measure social-bias shop-bot",
        "buttress measure sycophancy --trials 400 --conditions paraphrase,typos",
    ),
    "preferences": ("buttress preferences agreement pairs.db",),
    "preferences label": (
        "buttress preferences label pairs.jsonl --labeller ann --budget 50",
        "buttress preferences label runs/demo --language zh",
    ),
    "preferences import": ("buttress preferences import hh.jsonl --from hh --out pairs.jsonl",),
    "preferences agreement": ("buttress preferences agreement ann.db ben.db cem.db --json",),
    "preferences export": ("buttress preferences export pairs.db --out train.jsonl --to trl",),
    "whitebox": (
        "buttress whitebox weights",
        "buttress whitebox weights --method gcg --requests 8 --resume",
    ),
    "align": (
        "buttress align chatbot --recipe gate --out out/align",
        "buttress align chatbot --recipe gate,sft-varied,sft-one-opener --languages en",
        "buttress align chatbot --recipe mine.yaml --margin over-refusal=5 --resume",
    ),
    "harden": (
        "buttress harden chatbot",
        "buttress harden chatbot --method system-prompt,guard-rules --pairs 60",
    ),
    "scan": (
        "buttress scan .",
        "buttress scan . --diff main... --fail-on high --sarif findings.sarif",
        "buttress scan model.pkl --only model-files",
    ),
    "explain": ("buttress explain weights --prompt 'Why is the sky blue?'",),
    "card": ("buttress card buttress-out --format hf",),
    "values": ("buttress values charter.yaml --review",),
    "oversee": ("buttress oversee debate --task arithmetic --overseer small --worker large",),
    "preferences score": ("buttress preferences score scores.jsonl --json",),
    "privacy": (
        "buttress privacy weights --members train.jsonl --non-members held-out.jsonl --out run",
        "buttress privacy weights --canaries planted/canaries.jsonl --json",
        "buttress privacy token-scores.jsonl",
        "buttress privacy audit scores.jsonl --delta 1e-5 --claimed 3",
    ),
    "tune": (
        "buttress tune weights --data answers.jsonl --out adapter",
        "buttress tune weights --data pairs.jsonl --method dpo --out adapter --resume",
        "buttress tune weights --data records.jsonl --method dp-sft --epsilon 3 --delta 1e-5 "
        "--out adapter",
        "buttress tune weights --data forget.jsonl --method npo --retain rest.jsonl --out adapter",
    ),
    "data": ("buttress data run corpus.jsonl --out clean", "buttress data stages"),
    "data run": (
        "buttress data run corpus.jsonl --out clean",
        "buttress data run corpus/ --stage exact --stage near:threshold=0.7 --out clean",
        "buttress data run corpus/ --pipeline pipeline.yaml --workers 4 --out clean --resume",
    ),
    "data stages": ("buttress data stages --json",),
    "data restore": ("buttress data restore clean --stage near",),
    "data review": ("buttress data review clean --budget 100",),
    "data canaries": ("buttress data canaries --into corpus.jsonl --out planted --seed 1",),
    "data influence": (
        "buttress data influence weights --data train.jsonl --behaviour leaks.jsonl --top 20",
        "buttress data influence weights --adapter adapter --data train.jsonl "
        "--behaviour leaks.jsonl --without cleaner.jsonl",
    ),
    "data check": ("buttress data check clean --policy gbt45654 --keywords words.txt",),
    "watch": (
        "buttress watch once",
        "buttress watch run watch.yaml --out shop-watch",
        "buttress watch history --html history.html --language zh",
        "buttress watch accept 3 4 --by Ann",
    ),
    "watch once": ("buttress watch once watch.yaml --json",),
    "watch run": ("buttress watch run watch.yaml --out shop-watch",),
    "watch list": ("buttress watch list",),
    "watch history": ("buttress watch history --html history.html --language zh",),
    "watch accept": ("buttress watch accept 3 4 --by Ann",),
    "watch metrics": ("buttress watch metrics",),
    "survey": (
        "buttress survey http://127.0.0.1:8000 --dry-run",
        "buttress survey 10.0.0.0/24 --ports 80,8000,11434 --out survey",
        "buttress survey 10.0.0.0/24 --ports 80,8000,11434 --out survey --resume",
        "buttress survey https://chat.example --layer link,service --as ann=ANN_KEY",
        "buttress survey 127.0.0.1:8888 --rules AI-Infra-Guard/data --sarif findings.sarif",
    ),
    "pack": ("buttress pack list", "buttress pack new my-rules"),
    "pack list": ("buttress pack list",),
    "pack verify": ("buttress pack verify my-rules", "buttress pack verify --own"),
    "pack install": ("buttress pack install my-rules.zip --trust maintainer.pub",),
    "pack lint": ("buttress pack lint AI-Infra-Guard/data",),
    "pack remove": ("buttress pack remove my-rules",),
    "pack new": ("buttress pack new my-rules",),
    "pack seal": ("buttress pack seal my-rules",),
    "pack sign": ("buttress pack sign my-rules --key key.pem --password-env KEY_PASSWORD",),
    "sign": ("buttress sign weights --key key.pem", "buttress sign weights --sigstore"),
    "verify-model": (
        "buttress verify-model weights --key key.pub",
        "buttress verify-model weights --identity me@shop.example --issuer https://login.example",
    ),
    "bom": (
        "buttress bom shop-bot --out bom.json",
        "buttress bom . --commercial --fail-on high",
    ),
    "digest": ("buttress digest write weights weights.sha256",),
    "digest write": ("buttress digest write weights weights.sha256",),
    "digest verify": ("buttress digest verify weights weights.sha256",),
    "new": ("buttress new plugin my-probes",),
    "new plugin": ("buttress new plugin my-probes",),
    "report": (
        "buttress report out/shop-bot",
        "buttress report out/shop-bot --language zh",
        "buttress report out/shop-bot --format sarif --out findings.sarif",
    ),
    "diff": ("buttress diff out/before out/after", "buttress diff out/before out/after --paired"),
    "risks": ("buttress risks", "buttress risks --policy strict --json"),
    "risks show": ("buttress risks show over-refusal > my-risks.yaml",),
    "risks what-if": (
        "buttress risks what-if out/shop-bot --profile requests_per_day=20000",
        "buttress risks what-if out/shop-bot --set harmful-compliance.refusal=0.01",
    ),
    "risks policies": ("buttress risks policies", "buttress risks policies strict"),
    "probes": ("buttress probes", "buttress probes --attacks"),
    "convert": (
        "buttress convert garak.report.jsonl --to answers.jsonl",
        "buttress convert run.eval --expect refuse --to answers.jsonl",
    ),
    "judge": ("buttress judge show", "buttress judge label out/shop-bot"),
    "judge show": (
        "buttress judge show",
        "buttress judge show --judge llm --target http://127.0.0.1:8000/v1#my-model",
    ),
    "judge calibrate": ("buttress judge calibrate --labels labels.jsonl --out calibration.json",),
    "judge check": ("buttress judge check --labels labels.jsonl --repeats 3",),
    "judge label": (
        "buttress judge label out/shop-bot",
        "buttress judge label out/shop-bot --probe over-refusal --budget 50",
    ),
    "judge labels": ("buttress judge labels out/shop-bot --export labels.jsonl",),
    "evidence": ("buttress evidence verify out/shop-bot",),
    "evidence verify": (
        "buttress evidence verify out/shop-bot",
        "buttress evidence verify out/shop-bot --head 5d3a2f",
    ),
    "evidence show": ("buttress evidence show out/shop-bot --kind trial --limit 5",),
    "evidence export": ("buttress evidence export out/shop-bot --to evidence.jsonl",),
    "evidence encrypt": ("buttress evidence encrypt buttress-out",),
    "evidence erase": (
        "buttress evidence erase buttress-out --subject customer-17",
        "buttress evidence erase buttress-out --older-than 90",
    ),
    "evidence import": ("buttress evidence import evidence.jsonl --to new.db",),
}
