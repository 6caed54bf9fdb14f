"""The loop: split, baseline, data, training, evaluation, comparison, with one kind of evidence.

Every step can be cut off: trials are in the evidence as soon as they are judged, fitted files and
adapters are whole or absent, and a run that is resumed finds what is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
import orjson

from buttress.documents.alignment import (
    AlignmentDocument,
    AttackComparison,
    CategorySplitRow,
    ExitCode,
    PerplexityChange,
    RiskComparison,
    TriedRecipe,
)
from buttress.errors import InputError, MissingExtraError
from buttress.evidence.records import Provenance, Trial
from buttress.evidence.store import FILE_NAME, EvidenceStore
from buttress.files.atomic import write_whole
from buttress.protocols.judge import Judge
from buttress.report.alignment_page import render
from buttress.system.model import Asset, System
from buttress.workflows.alignment.align_request import AlignRequest
from buttress.workflows.alignment.asking_order import WorstFirst
from buttress.workflows.alignment.attacking import Attacker, attack_rows
from buttress.workflows.alignment.comparing import (
    changed_answers,
    exit_code,
)
from buttress.workflows.alignment.intervention import (
    Intervention,
    InterventionContext,
    intervene,
)
from buttress.workflows.alignment.measuring import Cells, Measurer
from buttress.workflows.alignment.paired_comparison import PairedComparison
from buttress.workflows.alignment.recipe import Recipe
from buttress.workflows.alignment.requests import (
    EXPECT,
    HARM,
    HELD_OUT,
    ORDINARY,
    OVER_REFUSAL,
    MeasuredRequests,
    measured_requests,
)
from buttress.workflows.answering import answering_asset
from buttress.workflows.assessment import sources
from buttress.workflows.opening import open_asset
from buttress.workflows.runs import begin_run, last_run

DOCUMENT_NAME: Final = "align.json"
PAGE_NAME: Final = "align.html"
POLICY: Final = "alignment"
LIMITS: Final = (
    "The figures are of one seed and one split. Another split has other categories.",
    "Without labels the judge is taken to err, and to leave answers open, alike before and after, "
    "and as often as on the systems that it was calibrated on. Labels of both sides replace that "
    "assumption.",
    "Requests that are written against the change itself were not searched for.",
)
APART: Final = (
    "Each rate is bounded by itself, as of a system that the judge has not met. It may err in "
    "another way after the change than before."
)
_LIBRARIES: Final = ("numpy", "scipy", "torch", "transformers", "peft", "trl")
_ORDER: Final[Mapping[int, int]] = {0: 0, 3: 1, 1: 2}
Say = Callable[[str], None]


def align(system: System, request: AlignRequest, say: Say, stream: TextIO | None = None) -> Any:
    """Try each recipe; the document, also ``align.json`` and ``align.html`` in ``out``.

    Raises:
        InputError: a risk, margin, category or recipe is not usable, or no run to resume.
        MissingExtraError: a package that a recipe needs is not installed.
        ButtressError: the model does not answer.
    """
    request.check()
    asset = answering_asset(system, request.asset)
    languages = tuple(request.languages or system.languages)
    say("step split")
    requests = measured_requests(
        system, languages, seed=request.seed, held_out=tuple(request.held_out),
        pairs=request.pairs, seen_pairs=request.seen_pairs, ordinary=request.ordinary,
    )  # fmt: skip
    judge = sources.judge(system)
    with EvidenceStore.open(request.out / FILE_NAME) as store:
        run = _begin(store, system, request, languages)
        measurer = Measurer(system, store, judge, run.run, request.seed, asset.max_tokens, stream)
        work = _Work(system, request, asset, requests, judge, measurer, say)
        document = work.document(run)
    plain: dict[str, Any] = msgspec.to_builtins(document)
    content = orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_whole(request.out / DOCUMENT_NAME, content, "--out")
    write_whole(request.out / PAGE_NAME, render(plain, request.language).encode(), "--out")
    return plain


@dataclass(slots=True)
class _Tried:
    """What came of a recipe."""

    recipe: Recipe
    row: TriedRecipe
    rows: list[RiskComparison] = field(default_factory=list)
    after: Cells = field(default_factory=dict)
    perplexity: PerplexityChange | None = None
    attacks: list[AttackComparison] = field(default_factory=list)


@dataclass(slots=True)
class _Work:
    system: System
    request: AlignRequest
    asset: Asset
    requests: MeasuredRequests
    judge: Judge
    measurer: Measurer
    say: Say
    losses: dict[tuple[str, ...], tuple[float, int]] = field(default_factory=dict)

    @property
    def comparison(self) -> PairedComparison:
        """What compares the model's states."""
        return PairedComparison(
            self.requests, self.judge, self.measurer.store, self.request.margins,
            self.request.judge_errors,
        )  # fmt: skip

    @property
    def attacker(self) -> Attacker:
        """What attacks the model in each of its states."""
        return Attacker(
            self.system,
            self.request.attacked,
            self.request.device,
            self.requests,
            self.measurer,
            self.request.out,
            self._on_weights,
            self.say,
        )

    def document(self, run: Provenance) -> AlignmentDocument:
        self.say("step baseline")
        baseline = self.measurer.measure(
            self._open_plain, self.requests, asset=self.asset.id,
            system_prompt=self.asset.system_prompt,
        )  # fmt: skip
        attacked = self.attacker.attack(
            self._open_plain, self.asset.id, self.asset.system_prompt, self.asset.settings
        )
        tried = [self._try(recipe, baseline, attacked) for recipe in self.request.recipes]
        able = [one for one in tried if one.row.exit is not None]
        if not able:
            why = "; ".join(f"{one.recipe.name}: {one.row.why_not}" for one in tried)
            raise InputError(f"no recipe could be tried: {why}", field="--recipe")
        best = min(able, key=lambda one: (_ORDER[one.row.exit or 0], one.row.harm or 0.0))
        self.say("step explain")
        unexplained = self._explain(best)
        split = self.requests.split
        assert best.row.exit is not None
        return AlignmentDocument(
            schema="buttress/alignment/1",
            command=self.request.command,
            system=self.system.name,
            asset=self.asset.id,
            run=run.run,
            judge=f"{self.judge.id} {self.judge.version}",
            seed=self.request.seed,
            recipe=best.recipe.name,
            exit=best.row.exit,
            targets=list(self.request.targets),
            comparison=best.rows,
            split=CategorySplitRow(
                held_out_categories=list(split.held_out_categories),
                held_out=len(split.held_out),
                seen=len(split.seen),
                public=len(split.public),
                ordinary=len(self.requests.ordinary),
                dropped=[one.id for one in split.dropped],
            ),
            perplexity=best.perplexity,
            attacks=best.attacks,
            recipes=[one.row for one in tried],
            changed=[
                row
                for risk in EXPECT
                for row in changed_answers(
                    risk, baseline.get((risk, HELD_OUT), ()), best.after.get((risk, HELD_OUT), ())
                )
            ],
            limits=[*self._limits(), *unexplained],
        )

    def _explain(self, best: _Tried) -> list[str]:
        """What training changed inside, as `explain --compare`, in the folder ``explain``.

        A gate, a system prompt and rules change nothing inside. Returns why it could not be done.
        """
        if best.recipe.kind != "train":
            return []
        try:
            explain_training(
                self.system.base / str(self.asset.settings["weights"]),
                Path(str(best.row.setting["weights"])), self.request, self.say,
            )  # fmt: skip
        except InputError as error:
            return [f"What changed inside could not be compared: {error}"]
        return []

    def _limits(self) -> list[str]:
        if self.request.judge_errors == "alike":
            return list(LIMITS)
        return [LIMITS[0], APART, *LIMITS[2:]]

    def _open_plain(self) -> Any:
        return open_asset(self.asset, base=self.system.base)

    def _try(
        self, recipe: Recipe, baseline: Cells, attacked: Mapping[str, Sequence[Trial]]
    ) -> _Tried:
        self.say(f"step train: {recipe.name}")
        context = InterventionContext(
            self.system, self.asset, self.requests, baseline, self.measurer,
            self.request.out / "recipes" / recipe.name, self.request.seed, self.request.device,
            self.say,
        )  # fmt: skip
        try:
            changed = intervene(recipe, context)
        except (InputError, MissingExtraError) as error:
            if not self.request.skip_impossible:
                raise
            return _Tried(recipe, _row(recipe, why_not=str(error)))
        self.say(f"step evaluate: {recipe.name}")
        name = f"{self.asset.id}+{recipe.name}"

        def open_changed() -> Any:
            return changed.open(self.system.base)

        order = WorstFirst(self.comparison, baseline, self.request.ask_all)
        after = self.measurer.measure(
            open_changed, self.requests, asset=name, system_prompt=changed.system_prompt,
            next_cells=order,
        )  # fmt: skip
        attacks = self.attacker.attack(open_changed, name, changed.system_prompt, changed.settings)
        self.say(f"step compare: {recipe.name}")
        rows = self.comparison.rows(baseline, after, asked=order.asked)
        perplexity = self._perplexity(
            context, changed, baseline.get((ORDINARY, HELD_OUT), ()),
            after.get((ORDINARY, HELD_OUT), ()),
        )  # fmt: skip
        code = exit_code(rows, self.request.targets, perplexity)
        self._say_verdicts(recipe, rows, perplexity, code)
        tried = _Tried(recipe, _row(recipe, changed, rows, code), rows, after, perplexity)
        tried.attacks = attack_rows(attacked, attacks)
        if recipe.kind == "train":
            tried.attacks += self.attacker.extraction(self.asset.settings, changed)
        return tried

    def _say_verdicts(
        self,
        recipe: Recipe,
        rows: Sequence[RiskComparison],
        perplexity: PerplexityChange | None,
        code: ExitCode,
    ) -> None:
        """What came of a recipe, before the next one begins."""
        worse = [f"{row.risk} ({row.part})" for row in rows if row.verdict == "worse"]
        worse += ["perplexity"] if perplexity is not None and perplexity.verdict == "worse" else []
        why = f", worse: {', '.join(worse)}" if worse else ""
        self.say(f"{recipe.name}: exit {code}{why}")

    @property
    def _on_weights(self) -> bool:
        """Whether the model runs in this process on a folder of weights."""
        return (self.system.base / str(self.asset.settings.get("weights", ""))).is_dir() and bool(
            self.asset.settings.get("weights")
        )

    def _perplexity(
        self,
        context: InterventionContext,
        changed: Intervention,
        before: Sequence[Trial],
        after: Sequence[Trial],
    ) -> PerplexityChange | None:
        """Of the answers before to those ordinary requests that were asked after as well."""
        if not self._on_weights:
            return None
        from buttress.workflows.alignment.perplexity import (
            mean_loss,
            perplexity_change,
            usable_answers,
        )

        asked = {trial.item for trial in after}
        trials = [one for one in usable_answers(before) if one.item in asked]
        if not trials:
            return None
        key = tuple(trial.key for trial in trials)
        if key not in self.losses:
            self.losses[key] = mean_loss(
                context.weights, trials, system_prompt=self.asset.system_prompt,
                device=self.request.device,
            )  # fmt: skip
        steering = changed.settings.get("steering")
        found = mean_loss(
            self.system.base / str(changed.settings["weights"]), trials,
            system_prompt=changed.system_prompt, device=self.request.device,
            steering=Path(str(steering)) if steering else None,
        )  # fmt: skip
        return perplexity_change(self.losses[key], found, self.comparison.margin("perplexity"))


def explain_training(weights: Path, adapter: Path, request: AlignRequest, say: Say) -> None:
    """Compare the model before and after training, by answers, layers and refusal direction.

    Raises:
        InputError: weights or adapter are not usable.
    """
    from buttress.workflows.compare_models import CompareRequest, compare_models

    compare_models(
        CompareRequest(
            weights=weights, changed=adapter, out=request.out / "explain", device=request.device,
            seed=request.seed, language=request.language,
        ),
        say,
    )  # fmt: skip


def _row(
    recipe: Recipe,
    changed: Intervention | None = None,
    rows: Sequence[RiskComparison] = (),
    code: ExitCode | None = None,
    *,
    why_not: str = "",
) -> TriedRecipe:
    held_out = {row.risk: row.after for row in rows if row.part == HELD_OUT}
    return TriedRecipe(
        name=recipe.name,
        kind=recipe.kind,
        harm=held_out.get(HARM),
        over_refusal=held_out.get(OVER_REFUSAL),
        exit=code,
        why_not=why_not,
        setting={}
        if changed is None
        else {
            **{
                name: changed.settings[name]
                for name in ("weights", "gate", "steering")
                if name in changed.settings
            },
            "system_prompt": changed.system_prompt,
        },
        details={} if changed is None else dict(changed.details),
    )


def _begin(
    store: EvidenceStore, system: System, request: AlignRequest, languages: Sequence[str]
) -> Provenance:
    recipes = msgspec.json.encode(list(request.recipes))
    details = {
        "manifest": system.digest,
        "workflow": request.command,
        "asset": request.asset or "",
        "recipes": hashlib.sha256(recipes).hexdigest(),
        "languages": list(languages),
        "held_out": list(request.held_out),
        "pairs": request.pairs,
        "seen_pairs": request.seen_pairs,
        "ordinary": request.ordinary,
        "attacked": request.attacked,
    }

    def check(last: Provenance) -> None:
        changed = [name for name, value in details.items() if last.details.get(name) != value]
        if last.policy != POLICY or last.seed != request.seed or changed:
            what = changed[0] if changed else ("seed" if last.policy == POLICY else "workflow")
            raise InputError(
                f"the run that is to be resumed has another {what}", field="--resume",
                expected="the same, or no --resume, or another --out",
            )  # fmt: skip

    if request.resume:
        earlier = last_run(store, check)
        if earlier is None:
            raise InputError("no run to go on with", file=store.name, field="--resume")
        return earlier
    return begin_run(
        store, system=system.name, seed=request.seed, policy=POLICY, digests={},
        details=details, libraries=_LIBRARIES,
    )  # fmt: skip
