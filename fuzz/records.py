"""Files that users bring: evidence, logs of other tools, prompts, recordings, YAML and labels."""

from __future__ import annotations

import atexit
import math
import shutil
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from buttress.data.plan import load as load_pipeline
from buttress.data.reading import Readable
from buttress.data.reading import read as read_data
from buttress.data.records import Record
from buttress.evidence import exchange
from buttress.evidence.chain import verify
from buttress.evidence.codec import check, decode, encode, kind_of
from buttress.evidence.row import GENESIS, link
from buttress.evidence.store import EvidenceStore
from buttress.files import located_yaml
from buttress.interchange.convert import to_recording
from buttress.interchange.preferences import FORMATS, read_preferences
from buttress.interchange.recording import SkippedAnswers
from buttress.judges.labels import read_labels
from buttress.labelling.preferences.pairs import read_pairs
from buttress.probes.privacy.audit_scores import audit, read_scores
from buttress.probes.privacy.canaries import read_canaries
from buttress.probes.privacy.membership import ATTACKS
from buttress.probes.privacy.token_scores import read_token_scores
from buttress.prompts.public import known_sets, load_public
from buttress.prompts.public.rows import read_rows
from buttress.risk.catalogue import load_catalogue
from buttress.risk.policy import load_policy
from buttress.targets import completion
from buttress.targets.base import TargetError
from buttress.targets.replay import create as create_replay
from buttress.workflows.manifest import load as load_manifest
from fuzz.harness import InvariantError, Run, Target, placed, private

_MOST: Final = 500


def _import(data: bytes) -> object:
    """As it lies in a file: nearly all is refused, by the chain if by nothing before it."""
    return _loaded(placed("evidence.jsonl", data))


def _chained(data: bytes) -> object:
    """Lines ``KIND JSON`` under a chain that is right, so that what comes after it is reached."""
    previous, lines = GENESIS, []
    for number, line in enumerate(data.split(b"\n")[:50], 1):
        name, _, text = line.partition(b" ")
        kind = name.decode("utf-8", "replace")
        try:
            payload = orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)
        except ValueError:
            return None
        previous = link(previous, kind, payload) if len(kind.encode()) < 256 else GENESIS
        lines.append(
            b'{"sequence":%d,"hash":"%s","kind":%s,"payload":%s}'
            % (number, previous.hex().encode(), orjson.dumps(kind), payload)
        )
    return _loaded(placed("evidence.jsonl", b"\n".join(lines)))


@cache
def _store(_process: str) -> EvidenceStore:
    """An empty store; one is enough for all that is refused."""
    folder = private() / "store"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    store = EvidenceStore.open(folder / "evidence.db")
    atexit.register(store.close)
    return store


def _loaded(path: Path) -> object:
    store = _store(private().name)
    try:
        count = exchange.load(path, store)
        if not count:
            return 0
        if store.count != count or not verify(store).ok:
            raise InvariantError("what was taken in is not a whole store")
        return count, store.head
    finally:
        if store.count:
            store.close()
            _store.cache_clear()


def _record(data: bytes) -> object:
    name, _, payload = data.partition(b"\n")
    record = decode(name.decode("utf-8", "replace"), payload)
    check(record)
    again, written = encode(record)
    if encode(decode(kind_of(again), written))[1] != written:
        raise InvariantError("a record is written in two ways")
    return record


def _converted(name: str) -> Run:
    def run(data: bytes) -> object:
        left_out = SkippedAnswers()
        records = list(islice(to_recording(placed(name, data), None, left_out), _MOST))
        for one in records:
            orjson.dumps(one)
        return records, left_out

    return run


def _rows(suffix: str) -> Run:
    def run(data: bytes) -> object:
        return list(islice(read_rows(placed(f"rows{suffix}", data)), _MOST))

    return run


def _prompts(data: bytes) -> object:
    """The first byte picks the set, so that all their shapes are tried."""
    sets = sorted(known_sets())
    name = sets[data[0] % len(sets)] if data else sets[0]
    suffix = ".json" if data[1:2] in (b"{", b"[") else ".csv"
    prompts = load_public(name, placed(f"set{suffix}", data[1:]))
    if len({one.id for one in prompts}) != len(prompts):
        raise InvariantError("two prompts of one id")
    return prompts


def _yaml(data: bytes) -> object:
    located = located_yaml.load(placed("any.yaml", data))
    lines = len(data.decode("utf-8", "replace").splitlines()) + 1
    for path in _paths(located.data, ()):
        line = located.line(path)
        if line is not None and not 1 <= line <= lines:
            raise InvariantError(f"line {line} of {lines} for {path}")
    return located.data


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    if len(path) > 20:
        return
    if isinstance(value, dict):
        for key, one in islice(value.items(), 50):
            yield from _paths(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value[:50]):
            yield from _paths(one, (*path, index))


def _manifest(data: bytes) -> object:
    return load_manifest(placed("buttress.yaml", data))


def _catalogue(data: bytes) -> object:
    return load_catalogue(placed("risks.yaml", data))


def _policy(data: bytes) -> object:
    return load_policy(str(placed("policy.yaml", data)), list(load_catalogue().risks))


def _replay(data: bytes) -> object:
    target = create_replay(replay=placed("recording.jsonl", data), expect="refuse")
    return target.identity, target.left_out, [one.prompt for one in islice(target.prompts(), _MOST)]


def _labels(data: bytes) -> object:
    return list(read_labels(placed("labels.jsonl", data)))


def _preferences(form: str) -> Run:
    def run(data: bytes) -> object:
        criterion = "better" if form == "pku" else ""
        found = list(islice(read_preferences(placed("set.jsonl", data), form, criterion), _MOST))
        for pair, labels in found:
            orjson.dumps([pair.item, pair.prompt, pair.first, pair.second])
            if any(one.key != pair.key for one in labels):
                raise InvariantError("a label of another pair")
        return found

    return run


def _pairs(data: bytes) -> object:
    pairs, labels = read_pairs(placed("pairs.jsonl", data))
    return pairs, labels, [pair.key for pair in pairs]


def _completion(data: bytes) -> object:
    """The body of an endpoint's answer."""
    payload = completion.decode(data)
    answer = completion.read(payload, 0.5)
    orjson.dumps(answer.text)  # it goes into the evidence
    return answer


def _data(suffix: str) -> Run:
    """Records of training data: each is an object with a text, and its place is in the file."""

    def run(data: bytes) -> object:
        path = placed(f"data{suffix}", data)
        found = list(islice(read_data([path]), _MOST))
        lines = [one.position.line for one in found if isinstance(one, Readable)]
        if lines != sorted(lines) or any(line < 1 for line in lines):
            raise InvariantError(f"lines {lines}")
        for one in found:
            if isinstance(one, Readable):
                record = Record(one.line, one.position)
                same = record.with_texts([slot.text for slot in record.slots])
                if same.line != record.line or not record.slots:
                    raise InvariantError("a record without a text, or changed by nothing")
            elif not one.reason or "\n" in one.reason:
                raise InvariantError(f"reason {one.reason!r}")
        return found

    return run


def _pipeline(data: bytes) -> object:
    return load_pipeline(placed("pipeline.yaml", data))


def _audit(data: bytes) -> object:
    scores = read_scores(placed("scores.jsonl", data))
    found = audit(scores[:50], delta=1e-5, alpha=0.05)
    if not 0 <= found.bound.epsilon_low <= found.largest:
        raise InvariantError(f"bound {found}")
    return found


def _token_scores(data: bytes) -> object:
    texts = list(islice(read_token_scores(placed("tokens.jsonl", data)), _MOST))
    for one in texts:
        for attack in ATTACKS.values():
            if one.log_probabilities and not math.isfinite(attack(one) or 0.0):
                raise InvariantError(f"a score that is no number: {one}")
    return texts


def _canaries(data: bytes) -> object:
    return read_canaries(placed("canaries.jsonl", data))


TARGETS: Final = (
    Target("token-scores", _token_scores),
    Target("canaries", _canaries),
    Target("privacy-audit", _audit),
    *(
        Target(f"data-{suffix[1:].replace('.', '-')}", _data(suffix))
        for suffix in (
            *(".jsonl", ".json", ".csv", ".txt", ".jsonl.gz", ".jsonl.zst"),
            *(".parquet", ".arrow"),
        )
    ),
    Target("data-pipeline", _pipeline),
    Target("evidence-import", _import),
    Target("evidence-chained", _chained),
    Target("evidence-record", _record),
    Target("log-inspect", _converted("log.eval")),
    Target("log-lines", _converted("log.jsonl")),
    Target("log-document", _converted("log.json")),
    Target("rows-csv", _rows(".csv")),
    Target("rows-tsv", _rows(".tsv")),
    Target("rows-json", _rows(".json")),
    Target("rows-jsonl", _rows(".jsonl")),
    Target("rows-text", _rows(".txt")),
    Target("rows-parquet", _rows(".parquet")),
    Target("prompt-sets", _prompts),
    Target("located-yaml", _yaml),
    Target("manifest", _manifest),
    Target("risk-catalogue", _catalogue),
    Target("risk-policy", _policy),
    Target("recording", _replay),
    Target("labels", _labels),
    *(Target(f"preferences-{form}", _preferences(form)) for form in FORMATS),
    Target("preference-pairs", _pairs),
    Target("completion", _completion, (TargetError,)),
)
