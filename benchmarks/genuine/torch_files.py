"""PyTorch, Hugging Face, safetensors, GGUF, NumPy."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np

from .makers import maker


def _network(torch: Any) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(16, 8), nn.Dropout(0.1), nn.LayerNorm(8),
    )  # fmt: skip


@maker("torch")
def checkpoints(folder: Path) -> None:
    """State dicts, whole modules, optimisers, in the new and the legacy format."""
    import torch

    network = _network(torch)
    optimiser = torch.optim.AdamW(network.parameters())
    network(torch.rand(1, 3, 8, 8)).sum().backward()
    optimiser.step()
    transformer = torch.nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10)
    state = {
        "model": network.state_dict(), "optimizer": optimiser.state_dict(), "epoch": 3,
        "scheduler": scheduler.state_dict(), "rng": torch.get_rng_state(),
        "dtype": torch.bfloat16, "device": torch.device("cpu"), "size": torch.Size([1, 2]),
    }  # fmt: skip
    kinds = {
        "half": torch.ones(3).half(), "bool": torch.ones(2, dtype=torch.bool),
        "f8": torch.ones(4).to(torch.float8_e4m3fn), "sparse": torch.eye(3).to_sparse(),
        "csr": torch.eye(3).to_sparse_csr(), "complex": torch.ones(2, dtype=torch.complex64),
        "quantised": torch.quantize_per_tensor(torch.rand(4), 0.1, 0, torch.qint8),
        "view": torch.rand(4, 4).t(), "parameter": torch.nn.Parameter(torch.rand(2)),
        "meta": torch.empty(2, device="meta"), "conj": torch.ones(2, dtype=torch.complex64).conj(),
    }  # fmt: skip
    for name, one in {"state": network.state_dict(), "training": state, "module": network,
                      "transformer": transformer, "kinds": kinds}.items():  # fmt: skip
        torch.save(one, folder / f"{name}.pt")
        if name != "kinds":
            torch.save(one, folder / f"{name}-legacy.pt", _use_new_zipfile_serialization=False)
    dynamic = torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear})
    torch.save(dynamic.state_dict(), folder / "dynamic.pt")


@maker("torch")
def programs(folder: Path) -> None:
    """TorchScript, traced and scripted, and torch.export."""
    import torch

    network = _network(torch).eval()
    example = torch.rand(1, 3, 8, 8)
    torch.jit.save(torch.jit.trace(network, example), folder / "traced.pt")
    torch.jit.save(torch.jit.script(network), folder / "scripted.pt")
    torch.export.save(torch.export.export(network, (example,)), folder / "exported.pt2")


@maker("safetensors", "safetensors", "torch")
def tensors(folder: Path) -> None:
    """By safetensors, from PyTorch and NumPy."""
    import safetensors.numpy
    import safetensors.torch
    import torch

    state = {k: v.contiguous() for k, v in _network(torch).state_dict().items()}
    safetensors.torch.save_file(state, folder / "model.safetensors", {"format": "pt"})
    safetensors.numpy.save_file(
        {"x": np.ones((3, 4)), "e": np.zeros((0, 2))}, folder / "n.safetensors"
    )
    kinds = {str(one).split(".")[1]: torch.ones(4).to(one) for one in (
        torch.float64, torch.bfloat16, torch.float16, torch.int8, torch.uint8, torch.bool,
        torch.float8_e4m3fn, torch.float8_e5m2, torch.int64, torch.uint16, torch.complex64,
    )}  # fmt: skip
    safetensors.torch.save_file(kinds, folder / "kinds.safetensors")


@maker("transformers", "transformers", "torch", "tokenizers")
def folders(folder: Path) -> None:
    """Folders that ``save_pretrained`` writes: decoders, encoders, tokenizers."""
    import torch
    import transformers as t
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    torch.manual_seed(0)
    tokens = Tokenizer(models.BPE(unk_token="<unk>"))
    tokens.normalizer = normalizers.NFKC()
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokens.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", "<s>", "</s>", "<pad>"])
    tokens.train_from_iterator(["a text to learn from", "another text"], trainer)
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 64, "vocab_size": 300}  # fmt: skip
    made = {
        "llama": t.LlamaForCausalLM(t.LlamaConfig(**small, num_key_value_heads=2)),
        "mixtral": t.MixtralForCausalLM(t.MixtralConfig(**small, num_key_value_heads=2)),
        "bert": t.BertForSequenceClassification(t.BertConfig(**small)),
        "gpt2": t.GPT2LMHeadModel(t.GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=300)),
        "t5": t.T5ForConditionalGeneration(
            t.T5Config(d_model=32, d_ff=64, num_layers=2, num_heads=4, d_kv=8, vocab_size=300)
        ),
        "vit": t.ViTForImageClassification(
            t.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=64, image_size=32, patch_size=8)
        ),
    }  # fmt: skip
    for name, model in made.items():
        model.save_pretrained(folder / name)
        if name in ("llama", "gpt2"):
            fast = t.PreTrainedTokenizerFast(
                tokenizer_object=tokens, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
                pad_token="<pad>",
            )  # fmt: skip
            fast.chat_template = template
            fast.save_pretrained(folder / name)
    made["llama"].save_pretrained(folder / "sharded", max_shard_size="20KB")
    arguments = t.TrainingArguments(output_dir=str(folder / "unused"), report_to=[])
    torch.save(arguments, folder / "llama" / "training_args.bin")
    word = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, unk_token="[UNK]"))
    word.normalizer = normalizers.BertNormalizer()
    word.save(str(folder / "bert" / "tokenizer.json"))
    gc.collect()


@maker("peft", "peft", "transformers", "torch")
def adapters(folder: Path) -> None:
    """Adapters by PEFT."""
    import transformers as t
    from peft import LoraConfig, get_peft_model

    base = t.LlamaForCausalLM(
        t.LlamaConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                      intermediate_size=64, vocab_size=300)
    )  # fmt: skip
    base.config._name_or_path = "example/base"
    get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj"])).save_pretrained(
        folder / "lora"
    )


@maker("gguf")
def gguf_files(folder: Path) -> None:
    """By llama.cpp's own writer, with quantised tensors and a chat template."""
    import gguf

    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_name("small")
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "a", "b"])
    writer.add_token_types([3, 1, 1])
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    for name, kind in (
        ("f32", None),
        ("q8", "Q8_0"),
        ("q4", "Q4_0"),
        ("q5", "Q5_1"),
        ("bf", "BF16"),
    ):
        data = np.random.rand(4, 64).astype(np.float32)
        if kind is None:
            writer.add_tensor(name, data)
        else:
            quantised = gguf.GGMLQuantizationType[kind]
            writer.add_tensor(name, gguf.quantize(data, quantised), raw_dtype=quantised)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@maker("numpy")
def arrays(folder: Path) -> None:
    """Arrays and archives of arrays."""
    np.save(folder / "a.npy", np.ones((3, 4), np.float32))
    np.save(folder / "f.npy", np.asfortranarray(np.ones((3, 4))))
    np.save(folder / "r.npy", np.zeros(3, [("x", "i4"), ("y", "f8", (2,)), ("s", "U4")]))
    np.save(folder / "o.npy", np.array([1, "a", None], object))
    np.savez(folder / "plain.npz", x=np.ones(3), y=np.arange(4))
    np.savez_compressed(folder / "packed.npz", x=np.ones(3), t=np.array(["a", "b"]))
