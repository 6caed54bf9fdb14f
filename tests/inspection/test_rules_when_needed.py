"""Rules are loaded where there is a file of their kind; a broken pack is told whatever is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from buttress.errors import InputError
from buttress.evidence.findings import Inspection
from buttress.packs.knowledge import Knowledge, PackFile
from buttress.probes.agents.probe import PROBE as AGENTS
from buttress.probes.client.probe import PROBE as CLIENT
from buttress.probes.deployment.probe import PROBE as DEPLOYMENT
from buttress.probes.source.code.probe import PROBE as CODE
from buttress.probes.source.secrets import PROBE as SECRETS
from buttress.protocols.inspection import InspectionContext
from buttress.protocols.probe import InspectionProbe

PROBES = (
    (AGENTS, "agent-rules"),
    (CLIENT, "client-rules"),
    (DEPLOYMENT, "infrastructure-rules"),
    (CODE, "code-rules"),
    (SECRETS, "secret-rules"),
)


@pytest.mark.parametrize(("probe", "kind"), PROBES)
def test_a_pack_that_does_not_load_is_told_where_no_file_needs_it(
    tmp_path: Path, probe: InspectionProbe, kind: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(100))
    broken = tmp_path / "rules.yaml"
    broken.write_text("rules: 3\n")
    knowledge = Knowledge({kind: (PackFile("acme 1.0.0", broken),)})
    with pytest.raises(InputError, match=r"rules\.yaml"):
        list(probe.inspect(InspectionContext.at("a", folder, knowledge)))
    *findings, inspection = probe.inspect(InspectionContext.at("a", folder))
    assert isinstance(inspection, Inspection)
    assert findings == []
    assert inspection.files == 0
