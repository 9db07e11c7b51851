"""Makes tiny model directories with tokenizers, and what mergekit makes of their vocabularies.

    python tools/golden/make-vocabularies.py packages/recipe/test/golden/vocabularies [--check DIRECTORY]

Needs mergekit 0.1.5, transformers 5, tokenizers. The directories hold config.json and tokenizer files only;
row i of the embedding of network n is [i + n / 8, -i, n] (exact in f32), which the tests make themselves.
`expected.json`: for each case the tokens of the result, the rows of each network by token, and how its
tokenizer splits some texts.
"""

import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from mergekit.common import ImmutableMap, ModelReference
from mergekit.tokenizer import BuildTokenizer, PermutedVocabulary
from mergekit.tokenizer.config import TokenEmbeddingConfig
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

logging.disable(logging.CRITICAL)
OUT = Path(sys.argv[1])
TEXT = ["the strip of low land joins two basins", "two trained networks are two basins of one land"]
OTHER = ["merging checkpoints averages weights", "weights and gradients are averaged while merging"]
SAMPLES = [
    "the land of two networks",
    "<|im_start|>the strip joins<|im_end|> basins</s>",
    "low weights averaged",
    "<s>unknown: zebra<pad>",
]


def bpe(text, size, specials):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = list("abcdefghijklmnopqrstuvwxyz:")
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=alphabet + ["Ġ"])
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer


def wordpiece(text, size):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(text, trainers.WordPieceTrainer(vocab_size=size, special_tokens=specials))
    ids = {token: tokenizer.token_to_id(token) for token in specials}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    return tokenizer


def unigram(text, size):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>")
    tokenizer.train_from_iterator(text * 4, trainer)
    return tokenizer


def save(name, tokenizer, vocab_size=None, chat_template=None, **tokens):
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens)
    if chat_template:
        fast.chat_template = chat_template
    folder = OUT / name
    fast.save_pretrained(folder)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocab_size or len(fast.get_vocab()),
        "hidden_size": 3,
        "intermediate_size": 5,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "num_hidden_layers": 2,
        "head_dim": 4,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return len(fast.get_vocab())


def make_directories():
    ends = {"bos_token": "<s>", "eos_token": "</s>"}
    plain = bpe(TEXT, 48, ["<s>", "</s>"])
    # Rows beyond the tokens, as many published networks have.
    save("bpe", plain, vocab_size=56, chat_template="A{{ messages }}", **ends)
    chat = bpe(TEXT, 48, ["<s>", "</s>"])
    chat.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    save("bpe-chat", chat, chat_template="B{{ messages }}", **ends)
    padded = bpe(TEXT, 48, ["<s>", "</s>"])
    padded.add_special_tokens(["<pad>", "<|im_end|>", "<unused>"])
    # The last token has no row.
    save("bpe-pad", padded, vocab_size=50, chat_template="B{{ messages }}\n", pad_token="<pad>", **ends)
    save("bpe-other", bpe(OTHER, 50, ["<s>", "</s>"]), **ends)
    masks = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    save("wordpiece", wordpiece(TEXT, 50), **masks)
    extended = wordpiece(TEXT, 50)
    extended.add_tokens(["merge"])
    extended.add_special_tokens(["[TASK]"])
    save("wordpiece-task", extended, **masks)
    save("unigram", unigram(TEXT, 40), unk_token="<unk>", **ends)
    extended = unigram(TEXT, 40)
    extended.add_special_tokens(["<|im_end|>"])
    save("unigram-chat", extended, unk_token="<unk>", **ends)


CASES = [
    {"name": "union", "networks": ["bpe", "bpe-chat"], "source": "union", "base": 0},
    {"name": "union without a base", "networks": ["bpe-chat", "bpe-pad", "bpe"], "source": "union"},
    {"name": "union with a base in second place", "networks": ["bpe-chat", "bpe"], "source": "union", "base": 1},
    {"name": "base of padded rows", "networks": ["bpe", "bpe-chat"], "source": "base", "base": 0},
    {"name": "base with a token beyond the rows", "networks": ["bpe-pad", "bpe"], "source": "base", "base": 0},
    {"name": "one network", "networks": ["bpe", "bpe-chat"], "source": "bpe-chat", "base": 0},
    {"name": "other vocabulary", "networks": ["bpe", "bpe-other"], "source": "union", "base": 0},
    {"name": "padded to 16", "networks": ["bpe", "bpe-chat"], "source": "union", "base": 0, "pad": 16},
    {
        "name": "rows by name",
        "networks": ["bpe", "bpe-chat"],
        "source": "union",
        "base": 0,
        "pad": 8,
        "tokens": {
            "<|im_start|>": {"source": {"kind": "model_token", "model": "bpe", "token": "<s>"}},
            "<|im_end|>": {"source": {"kind": "zero"}, "force": True},
            "</s>": {"source": "bpe-chat", "force": True},
            "<new>": {"source": {"kind": "model_token", "model": "bpe-chat", "token_id": 3}},
        },
    },
    {"name": "wordpiece union", "networks": ["wordpiece", "wordpiece-task"], "source": "union", "base": 0},
    {"name": "unigram union", "networks": ["unigram", "unigram-chat"], "source": "union", "base": 0},
]


def reference(name):
    return ModelReference.model_validate(str(OUT / name))


def place(source):
    if isinstance(source, str):
        return str(OUT / source)
    return {**source, "model": str(OUT / source["model"])} if "model" in source else source




def split(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return [tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) for text in SAMPLES]


def check(folder):
    """Loads the directories of write-vocabularies.ts by transformers and compares them with the record."""
    for case in json.loads((OUT / "expected.json").read_text())["cases"]:
        directory = Path(folder) / case["name"]
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        vocabulary = tokenizer.get_vocab()
        config = transformers.AutoConfig.from_pretrained(directory)
        assert set(vocabulary) == set(case["vocabulary"]), case["name"]
        assert split(directory) == case["splits"], case["name"]
        assert config.vocab_size == case["size"], case["name"]
        chat = "with" if tokenizer.chat_template else "without"
        print(f"{case['name']}: {len(vocabulary)} tokens, {config.vocab_size} rows, same splits, {chat} chat template")


def run(case):
    models = [reference(name) for name in case["networks"]]
    base = models[case["base"]] if "base" in case else None
    source = case["source"] if case["source"] in ("union", "base") else reference(case["source"])
    tokens = {
        token: TokenEmbeddingConfig.model_validate({**row, "source": place(row["source"])})
        for token, row in case.get("tokens", {}).items()
    }
    build = BuildTokenizer(
        base_model=base, referenced_models=tuple(models), tokenizer_source=source, add_tokens=tuple(tokens)
    )
    info = build.execute()
    tensors = {}
    for n, (name, model) in enumerate(zip(case["networks"], models)):
        count = json.loads((OUT / name / "config.json").read_text())["vocab_size"]
        i = torch.arange(count, dtype=torch.float32)
        tensors[model] = torch.stack([i + n / 8, -i, torch.full((count,), float(n))], dim=1)
    task = PermutedVocabulary.model_construct(
        tokens=ImmutableMap(tokens) if tokens else None,
        pad_to_multiple_of=case.get("pad"),
        base_model=base,
        vocabulary_axis=0,
    )
    result = task.execute(tokenizer_info=info, tensors=tensors)
    vocab = info.tokenizer.get_vocab()
    rows = [
        {
            **{token: result[model][id].tolist() for token, id in sorted(vocab.items(), key=lambda item: item[1])},
            **({"": result[model][len(vocab)].tolist()} if len(result[model]) > len(vocab) else {}),
        }
        for model in models
    ]
    with tempfile.TemporaryDirectory() as folder:
        info.tokenizer.save_pretrained(folder)
        splits = split(folder)
    return {**case, "size": len(next(iter(result.values()))), "vocabulary": vocab, "rows": rows, "splits": splits}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    make_directories()
    results = []
    for case in CASES:
        try:
            results.append(run(case))
        except Exception as error:  # what mergekit cannot do is part of the record
            results.append({**case, "error": f"{type(error).__name__}: {error}"[:200]})
    text = json.dumps({"samples": SAMPLES, "cases": results}, ensure_ascii=False)
    (OUT / "expected.json").write_text(text.replace('{"name": ', '\n{"name": ') + "\n")


if __name__ == "__main__":
    check(sys.argv[3]) if "--check" in sys.argv else main()
