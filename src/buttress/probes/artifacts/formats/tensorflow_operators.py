"""TensorFlow's operators that reach beyond the graph (tensorflow/core/ops, SECURITY.md).

TensorFlow's own advice is to treat a model as a program: these are its system calls.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from buttress.evidence.findings import Severity

_PYTHON: Final = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
_FILES: Final = {
    "ReadFile", "WriteFile", "MatchingFiles", "PrintV2", "WholeFileReader", "WholeFileReaderV2",
    "SaveDataset", "SaveDatasetV2", "DatasetToTFRecord", "ExperimentalDatasetToTFRecord",
    "DistributedSave", "DumpTensor", "CalibrationStatisticsSaver", "FileSystemSetConfiguration",
    "CreateSummaryFileWriter", "CreateSummaryDbWriter", "ImportEvent", "DecodeProtoV2",
    "EncodeProto", "LoadAndRemapMatrix", "DeleteOldCheckpoints", "WriteTrainingPredictions",
    "WriteSummary", "WriteGraphSummary", "WriteRawProtoSummary", "WriteAudioSummary",
    "WriteHistogramSummary", "WriteImageSummary", "WriteScalarSummary",
    "StatsAggregatorSetSummaryWriter", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3",
    "DebugNanCount", "DebugNumericSummary", "DebugNumericSummaryV2",
}  # fmt: skip
_NETWORK: Final = {
    "RpcCall", "RpcClient", "RpcServer", "RpcServerStart", "RpcServerRegister", "TryRpc", "Rpc",
    "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4",
    "RegisterDataset", "RegisterDatasetV2", "BigQueryReader", "GcsConfigureCredentials",
    "GcsConfigureBlockCache", "BigtableClient", "KafkaDataset", "RemoteCall",
    "RemoteFusedGraphExecute",
}  # fmt: skip
_NATIVE: Final = {"XlaCustomCall", "XlaCustomCallV2", "XlaHostCompute", "LoadLibrary"}
_DATA: Final = {
    "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2", "SqlDataset", "ExperimentalSqlDataset", "LMDBDataset",
    "LMDBReader", "TextLineReader", "TextLineReaderV2", "TFRecordReader", "TFRecordReaderV2",
    "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "CSVDataset", "CSVDatasetV2",
    "LoadDataset", "SnapshotDataset", "SnapshotDatasetV2", "SnapshotDatasetReader",
    "SnapshotChunkDataset", "ListSnapshotChunksDataset", "CacheDataset", "CacheDatasetV2",
    "MatchingFilesDataset", "ExperimentalMatchingFilesDataset", "RecordInput", "Skipgram",
    "GenerateVocabRemapping", "ExperimentalCSVDataset", "ExperimentalLMDBDataset",
    "SSTableReader", "AvroDataset",
}  # fmt: skip
# With a constant as file name that leads out, these read or write anywhere.
CHECKPOINTS: Final = {
    "Save", "SaveV2", "SaveSlices", "Restore", "RestoreV2", "RestoreSlice", "MergeV2Checkpoints",
    "DTensorRestoreV2", "ShardedFilename", "InitializeTableFromTextFile",
    "InitializeTableFromTextFileV2",
}  # fmt: skip


def verdict(operator: str) -> tuple[Severity, str] | None:
    """How grave the operator is, and the end of a sentence; None where it stays in the graph."""
    if operator.startswith("IO>"):  # the package tensorflow-io: files, streams and databases
        return "high", "reads or writes files"
    if operator in _PYTHON:
        return "high", "calls back into Python"
    if operator in _NATIVE:
        return "high", "runs native code by name"
    if operator in _FILES:
        return "high", "reads or writes files"
    if operator in _NETWORK:
        return "high", "reaches the network"
    if operator in _DATA:
        return "medium", "reads files as data"
    return None


@cache
def _registered() -> frozenset[str]:
    path = Path(__file__).with_name("tensorflow_known.json")
    lists = json.loads(path.read_text(encoding="utf-8"))
    return frozenset(name for key, names in lists.items() if key != "source" for name in names)


def is_known(operator: str) -> bool:
    """Whether TensorFlow brings it along; names with an underscore are made by its runtime."""
    return operator.startswith("_") or operator in _registered()
