"""Names that imitate: which are found, and that honest ones are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttress.files.yaml_loader import load_yaml
from buttress.provenance.dependencies import lookalike as module
from buttress.provenance.dependencies.lookalike import lookalike, malicious

DATA = load_yaml(module._DATA / "names.yaml")
LONG = [one for one in DATA["PyPI"] if len(one.replace("-", "")) >= 6 and one.isalpha()]

# Names made up, or documented, before the rules were looked at: two sets, of 60 and of 29.
SQUATS = """
tensorlfow pytroch-lightning sckit-learn opneai langchian anthorpic padnas keres datasest
matplotltib tensorflw trnsformers acclerate diffuers huggingface-hubs vlllm xfromers
bitsandbyte gradioo tiktokens t0rch tens0rflow 0penai langcha1n xgb00st p1llow numpv rnlflow
scipv wanbd hugging-facehub sentencetransformers opencvpython torch-vision torch-audio
autogptq llama-cpppython pytorchlightning python-openai torch-gpu torch-cuda tensorflow-cuda
transformers-gpu openai-python vllm-gpu langchain-py ollama-cli anthropic-sdk
torch-transformers openai-langchain huggingface-transformers hf-transformers
huggingface-datasets mlflow-client torchtriton deepseeek claudeai-eng gptplus huggingface-cli
llamacpp-python tesnorflow pytorch-lighting sentence-transfomers hugginface-hub langgrpah
llama-indx unslooth deepspeeed mistralia faiss-cpuu opencv-pyhton scikit-iamge networxk
statmodels gr4dio 0nnx mlfl0w c0here chromabd qdrant-cleint ragass ollamma
python-langchain langgraph-python datasets-gpu diffusers-cuda openai-api-client claude-client
hf-datasets
"""
# The first is as honest glue between packages is called; of the second only one version was bad.
NOT_FOUND = {"torch-transformers", "torchtriton", "0nnx", "openai-api-client"}
HONEST = """
jax jaxlib flax optax equinox torchdata torchtext torch-geometric pytorch-metric-learning
openai-agents langchain-anthropic langchain-google-genai langchain-text-splitters llama-parse
llama-index-core tensorflow-cpu tensorflow-text tensorflow-io onnxruntime-directml
onnxruntime-openvino opencv-contrib-python-headless xgboost-cpu cupy-cuda12x faiss-gpu-cu12
spacy-legacy spacy-transformers sklearn-pandas scikit-optimize scikit-video scikit-bio
numpydoc numpyro pandas-stubs pandas-gbq pandasql matplotlib-inline matplotlib-venn
seaborn-image transformers-stream-generator adapter-transformers keras-tuner keras-hub
keras-core torch-xla torch-scatter torchinfo torchsummary torchserve torch-model-archiver
tensorboard-data-server tensorboardx sentence-splitter gradio-client streamlit-chat
chromadb-client pinecone-client weaviate qdrant-haystack mlflow-skinny wandb-workspaces
dask-ml distributed ray-elasticsearch vllm-flash-attn openllm litgpt
"""


@pytest.mark.parametrize(
    ("name", "target", "severity"),
    [("transformres", "transformers", "high"), ("transformer", "transformers", "high"),
     ("tensorfow", "tensorflow", "high"), ("t0rch", "torch", "high"), ("numpyy", "numpy", "medium"),
     ("python-torch", "torch", "medium"), ("scikitlearn", "scikit-learn", "medium"),
     ("learn-scikit", "scikit-learn", "medium"), ("1angchain", "langchain", "high"),
     ("hugginface-hub", "huggingface-hub", "high"), ("vlllm", "vllm", "medium"),
     ("torch-cuda", "torch", "medium"), ("hf-datasets", "datasets", "medium"),
     ("anthropic-sdk", "anthropic", "low"), ("huggingface-cli", "huggingface", "low")],
)  # fmt: skip
def test_imitations(name: str, target: str, severity: str) -> None:
    found = lookalike(name, "PyPI")
    assert found is not None
    assert (found.target, found.severity) == (target, severity)


@pytest.mark.parametrize(
    "name",
    ["torch", "scapy", "torchx", "tensorflow2", "keras3", "pytest", "ruff", "tiny", "dataset"],
)
def test_honest_names(name: str) -> None:
    assert lookalike(name, "PyPI") is None


def test_squats_of_all_kinds() -> None:
    known = malicious()
    missed = {
        one for one in SQUATS.split() if not lookalike(one, "PyPI") and ("PyPI", one) not in known
    }
    assert missed == NOT_FOUND - {"torchtriton"}
    assert known["PyPI", "torchtriton"].versions


def test_honest_names_that_resemble() -> None:
    assert [one for one in HONEST.split() if lookalike(one, "PyPI")] == []


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(LONG),
    place=st.integers(0, 40),
    letter=st.sampled_from("qxzvw"),
    how=st.integers(0, 3),
)
def test_one_slip_in_a_long_name_is_found(name: str, place: int, letter: str, how: int) -> None:
    index = place % (len(name) - 1)
    wrong = [
        name[:index] + letter + name[index:],
        name[:index] + letter + name[index + 1 :],
        name[:index] + name[index + 1 :],
        name[:index] + name[index + 1] + name[index] + name[index + 2 :],
    ][how]
    names = module._names("PyPI")
    if wrong not in names.popular and wrong not in names.allowed:
        assert lookalike(wrong, "PyPI") is not None


@given(name=st.text(max_size=30))
def test_any_text_as_a_name(name: str) -> None:
    lookalike(name, "PyPI")
    lookalike(name, "npm")


def test_data_is_consistent() -> None:
    for ecosystem in ("PyPI", "npm"):
        names = module._names(ecosystem)  # type: ignore[arg-type]
        assert not names.popular & names.allowed
        assert len(names.popular) == len(DATA[ecosystem])
    for one in malicious().values():
        assert one.source
