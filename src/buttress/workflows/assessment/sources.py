"""What an assessment draws on: probes, prompts, judge and attacker, as the manifest names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from buttress import extension
from buttress.errors import InputError, PluginError
from buttress.judges.opening import Opener, open_judge
from buttress.prompts.base import Prompt
from buttress.protocols.judge import Judge
from buttress.protocols.probe import InspectionProbe, TrialProbe
from buttress.system.model import System
from buttress.targets.base import Target
from buttress.targets.open import open_target as open_any_target
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.opening import naming_field


def prompts(system: System, coverage: Coverage | None = None) -> list[Prompt]:
    """All prompts of the sets that the manifest names, in its languages.

    ``coverage`` is told where a bank of GB/T 45654 is smaller than the standard asks for.

    Raises:
        InputError: a set's file is malformed or missing.
    """
    from buttress.probes.behaviour import gbt_bank
    from buttress.prompts.pack import LANGUAGES, load_pack
    from buttress.prompts.public import load_public

    found: list[Prompt] = []
    for source in system.prompts:
        if source.set == "buttress":
            found += load_pack(languages=[one for one in system.languages if one in LANGUAGES])
            for language in system.languages:
                if language not in LANGUAGES and coverage is not None:
                    what = f"prompts in {language}"
                    coverage.record_skip(what, "the pack has none; name a set that has, as prompts")
        elif source.set in gbt_bank.PROMPT_SETS:
            assert source.path is not None
            kind = gbt_bank.PROMPT_SETS[source.set]
            questions = gbt_bank.load_bank(source.path, kind)
            for topic, short in gbt_bank.coverage(questions, kind).missing.items():
                if coverage is not None:
                    what = f"{source.set}, {topic}"
                    coverage.record_skip(what, f"the standard asks for {short} more questions")
            wanted = [one for one in questions if one.language in system.languages]
            found += gbt_bank.as_prompts(wanted, kind)
        else:
            found += load_public(source.set, source.path, split=source.split)
    return found


def judge(system: System, open_target: Opener = open_any_target) -> Judge:
    """The judge that the manifest names; the models that it asks are opened by ``open_target``.

    Raises:
        InputError: no such judge, or its calibration file or target is not usable.
    """
    chosen = system.judge
    settings = {
        "id": chosen.id,
        "model": chosen.model,
        "calibration": chosen.calibration,
        "target": chosen.target,
        "rubric": chosen.rubric,
        "members": chosen.members or None,
        "rule": chosen.rule,
        "quorum": chosen.quorum,
        **chosen.settings,
    }
    with naming_field(system, "judge"):
        return open_judge(settings, base=system.base, open_target=open_target)


def probes(
    system: System, only: Sequence[str] | None, coverage: Coverage | None = None
) -> list[InspectionProbe | TrialProbe]:
    """The probes to run: all registered ones, or those in ``only``.

    They have the data sets and the set of attacks that the manifest names. A probe of a plugin
    that can't be loaded is left out, of which ``coverage`` is told, unless ``only`` names it.

    Raises:
        InputError: a name in ``only`` is not registered, a data set is unknown or malformed, or
            there is no such attack.
        PluginError: a probe in ``only`` can't be loaded.
    """
    loaded = _loaded(coverage) if only is None else _named(only)
    if system.data:
        with naming_field(system, "data"):
            _check_sets(system, loaded if only is None else _loaded())
    with naming_field(system, "attacks"):
        found = [_fitted(probe, system) for probe in loaded]
    if not system.options:
        return found
    from buttress.inspection.options import configured

    inspecting = [probe for probe in found if isinstance(probe, InspectionProbe)]
    asking = [probe for probe in found if not isinstance(probe, InspectionProbe)]
    with naming_field(system, "options"):
        return [*configured(inspecting, system.options, None), *asking]


def _named(only: Sequence[str]) -> list[InspectionProbe | TrialProbe]:
    return [extension.load("probes", name) for name in dict.fromkeys(only)]


def _loaded(coverage: Coverage | None = None) -> list[InspectionProbe | TrialProbe]:
    """All registered probes that can be loaded."""
    found: list[InspectionProbe | TrialProbe] = []
    for name in extension.names("probes"):
        try:
            found.append(extension.load("probes", name))
        except PluginError as error:
            if coverage is not None:
                coverage.record_skip(name, str(error))
    return found


def _fitted(probe: InspectionProbe | TrialProbe, system: System) -> InspectionProbe | TrialProbe:
    from buttress.probes.behaviour.attack_arsenal import TakesAttacks
    from buttress.probes.behaviour.bank import TakesData

    if system.attacks and isinstance(probe, TakesAttacks):
        return probe.with_attacks(system.attacks)
    if isinstance(probe, TakesData) and probe.data_set in system.data:
        return probe.with_data(system.data[probe.data_set])
    return probe


def _check_sets(system: System, loaded: Sequence[InspectionProbe | TrialProbe]) -> None:
    from buttress.probes.behaviour.bank import TakesData

    known = sorted({probe.data_set for probe in loaded if isinstance(probe, TakesData)})
    for name in system.data:
        if name not in known:
            raise InputError(
                f"unknown data set '{name}'", field="data", expected="one of " + ", ".join(known)
            )


def attacker(
    system: System, targets: Mapping[str, Target], open_target: Opener = open_any_target
) -> Target | None:
    """The model that searches for attacks; one of ``targets`` where the manifest says so.

    Raises:
        InputError: its settings are not usable.
        MissingExtraError: it needs a package that is not installed.
    """
    if system.attacker is None:
        return None
    if "asset" in system.attacker:
        return targets[system.attacker["asset"]]
    with naming_field(system, "attacker"):
        return open_target(system.attacker, base=system.base)
