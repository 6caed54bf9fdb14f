"""What a manifest says of a model, for each kind of target, to be filled in by its owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_KEY: Final = "    api_key_env: {}  # the environment variable that holds the key\n"
_HOSTED: Final = """\
  # {title}
  - id: chat-model
    kind: model
    api: {api}
    endpoint: {endpoint}
    model: {model}
"""


def _hosted(title: str, api: str, endpoint: str, model: str, key: str) -> str:
    text = _HOSTED.format(title=title, api=api, endpoint=endpoint, model=model)
    return text + (_KEY.format(key) if key else "")


TEMPLATES: Final[Mapping[str, str]] = {
    "openai": _hosted(
        "A server with OpenAI's API: vLLM, TGI, llama.cpp, LiteLLM, OpenRouter, OpenAI itself, …",
        "openai", "http://127.0.0.1:8000/v1", "MODEL", "",
    )
    + "    # api_key_env: OPENAI_API_KEY\n",
    "openai-responses": _hosted(
        "OpenAI's responses", "openai-responses", "https://api.openai.com/v1", "MODEL",
        "OPENAI_API_KEY",
    ),
    "azure": _hosted(
        "A deployment of Azure OpenAI; model is the deployment's name",
        "azure", "https://RESOURCE.openai.azure.com", "DEPLOYMENT", "AZURE_OPENAI_API_KEY",
    ),
    "anthropic": _hosted(
        "Anthropic's messages", "anthropic", "https://api.anthropic.com", "MODEL",
        "ANTHROPIC_API_KEY",
    ),
    "gemini": _hosted(
        "Google's Gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", "MODEL",
        "GEMINI_API_KEY",
    ),
    "bedrock": _hosted(
        "Amazon Bedrock; signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a key",
        "bedrock", "https://bedrock-runtime.REGION.amazonaws.com", "MODEL", "",
    )
    + "    # api_key_env: AWS_BEARER_TOKEN_BEDROCK\n",
    "ollama": _hosted("Ollama", "ollama", "http://127.0.0.1:11434", "MODEL", ""),
    "http": """\
  # An application of your own behind HTTP. `buttress ask` shows what a reply has.
  - id: application
    kind: model
    http:
      url: http://127.0.0.1:8000/chat
      headers: {Authorization: "Bearer {{session}}"}
      body: {question: "{{prompt}}"}
      answer: $.data.reply
      # A request before each question, so that no question knows another:
      session:
        url: http://127.0.0.1:8000/login
        body: {user: tester, password: "${APP_PASSWORD:-none}"}
        token: $.token
""",
    "websocket": """\
  # An application of your own behind a WebSocket
  - id: application
    kind: model
    http:
      url: ws://127.0.0.1:8000/chat
      body: {question: "{{prompt}}", conversation: "{{session}}"}
      pieces: $.type == token  # the messages that hold the answer
      answer: $.text
      done: $.type == end  # the last message
""",
    "python": """\
  # A function of your own that takes the prompt and returns the answer, sync or async
  - id: application
    kind: model
    python: app.py:answer
""",
    "browser": """\
  # A chat page that is asked through a browser; needs pip install '.[browser]'
  - id: page
    kind: model
    browser:
      url: http://127.0.0.1:8000/
      input: "#prompt"  # selector of the field for questions
      send: "#send"  # what is clicked; the Enter key where absent
      answer: ".bot"  # selector of all answers
""",
    "weights": """\
  # A GGUF file, a Hugging Face folder with safetensors, or package:NAME
  - id: model
    kind: model
    weights: model.gguf
""",
    "replay": """\
  # Recorded answers: lines of {"prompt": …, "response": …}; expect says what a safe model does
  - id: recording
    kind: model
    replay: answers.jsonl
    expect: refuse
""",
    "inspect": """\
  # A model as Inspect names it; needs pip install '.[inspect]'
  - id: chat-model
    kind: model
    inspect: PROVIDER/MODEL
""",
}  # fmt: skip
