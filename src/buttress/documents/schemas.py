"""The documents by name, with their JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from buttress.documents.alignment import AlignmentDocument
from buttress.documents.assessment import Assessment
from buttress.documents.comparison import ComparisonDocument
from buttress.documents.data import DataDocument
from buttress.documents.endpoint_explanation import EndpointExplanationDocument
from buttress.documents.explanation import ExplanationDocument
from buttress.documents.fields import DocumentPart
from buttress.documents.influence import InfluenceDocument
from buttress.documents.json_schema import json_schema
from buttress.documents.measurement import Measurement
from buttress.documents.model_comparison import ModelComparisonDocument
from buttress.documents.oversight import OversightDocument
from buttress.documents.preferences import PreferencesDocument
from buttress.documents.privacy import PrivacyDocument
from buttress.documents.privacy_audit import PrivacyAuditDocument
from buttress.documents.reward_model import RewardModelDocument
from buttress.documents.risk import AssessedRisk, AssetRisk, RateInterval
from buttress.documents.scan_types import ScanDocument
from buttress.documents.survey_types import SurveyDocument
from buttress.documents.tuning import TuningDocument
from buttress.documents.values import ValuesDocument
from buttress.documents.watch import WatchDocument
from buttress.documents.white_box import WhiteBoxDocument
from buttress.errors import InputError

DOCUMENTS: Final[Mapping[str, type[DocumentPart]]] = {
    "assessment": Assessment,
    "scan": ScanDocument,
    "survey": SurveyDocument,
    "measure": Measurement,
    "diff": ComparisonDocument,
    "white-box": WhiteBoxDocument,
    "data": DataDocument,
    "preferences": PreferencesDocument,
    "privacy": PrivacyDocument,
    "privacy-audit": PrivacyAuditDocument,
    "reward-model": RewardModelDocument,
    "oversight": OversightDocument,
    "values": ValuesDocument,
    "tune": TuningDocument,
    "influence": InfluenceDocument,
    "explanation": ExplanationDocument,
    "align": AlignmentDocument,
    "model-comparison": ModelComparisonDocument,
    "endpoint-explanation": EndpointExplanationDocument,
    "watch": WatchDocument,
}
_SHARED: Final[Mapping[str, tuple[type[DocumentPart], ...]]] = {
    "assessment": (RateInterval, AssetRisk, AssessedRisk),
}


@cache
def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document, by its name in ``DOCUMENTS``.

    Raises:
        InputError: no such document.
    """
    if name not in DOCUMENTS:
        raise InputError(f"unknown document '{name}'", expected="one of " + ", ".join(DOCUMENTS))
    return json_schema(
        DOCUMENTS[name],
        identifier=f"urn:buttress:{name}:1",
        title=f"Buttress {name}",
        shared=_SHARED.get(name, ()),
    )


def of_any_version(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as plain data, maybe of another version: fields that it lacks are left out.

    Fields that are not known are ignored.

    Raises:
        InputError: no such document, or a field is not as its class says; names the field.
    """
    try:
        told = msgspec.convert(document, _partial(DOCUMENTS[name]))
    except msgspec.ValidationError as error:
        raise InputError(f"no {name} document: {error}") from None
    built: dict[str, Any] = msgspec.to_builtins(told)
    return built


@cache
def _partial(kind: Any) -> Any:
    """The type with all fields of its documents optional, but for the name of the schema."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields: list[Any] = [
            (one.name, one.type)
            if one.encode_name == "schema"
            else (one.name, _partial(one.type) | msgspec.UnsetType, msgspec.UNSET)
            for one in msgspec.structs.fields(kind)
        ]
        names = {one.name: one.encode_name for one in msgspec.structs.fields(kind)}
        return msgspec.defstruct(kind.__name__, fields, rename=names, kw_only=True)
    inner = get_args(kind)
    if not inner or get_origin(kind) is Literal:
        return kind
    parts = tuple(_partial(one) for one in inner)
    if get_origin(kind) in (UnionType, Union):
        return Union[parts]  # noqa: UP007  # of types known at run time only
    return Annotated[parts] if get_origin(kind) is Annotated else get_origin(kind)[parts]


def as_object(name: str, document: Mapping[str, Any]) -> DocumentPart:
    """A document as an object of its class; fields that are not known are ignored.

    Raises:
        InputError: no such document, or not as its class says; names the field.
    """
    if name not in DOCUMENTS:
        raise InputError(f"unknown document '{name}'", expected="one of " + ", ".join(DOCUMENTS))
    try:
        return msgspec.convert(document, DOCUMENTS[name])
    except msgspec.ValidationError as error:
        raise InputError(f"no {name} document: {error}") from None
