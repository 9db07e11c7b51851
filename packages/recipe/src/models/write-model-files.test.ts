import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { chooseChatTemplate } from "./chat-template.ts";
import { formatModelCard } from "./model-card.ts";
import { changeConfig } from "./model-config.ts";
import { planVocabulary } from "./plan-vocabulary.ts";
import { readVocabulary } from "./read-vocabulary.ts";
import { writeModelFiles } from "./write-model-files.ts";

const GOLDEN = new URL("../../test/golden/", import.meta.url).pathname;
const directoryOf = (name: string) => join(GOLDEN, "vocabularies", name);
const [bpe, chat, padded] = ["bpe", "bpe-chat", "bpe-pad"].map((name) => ({
  name,
  directory: directoryOf(name),
})) as [
  { name: string; directory: string },
  { name: string; directory: string },
  { name: string; directory: string },
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-model-"));
});
afterAll(() => rm(folder, { recursive: true }));

const readText = (...path: readonly string[]) => readFile(join(folder, ...path), "utf8");
const readJson = async (...path: readonly string[]) => JSON.parse(await readText(...path));

describe("writeModelFiles()", () => {
  it("copies what does not change byte for byte, and nothing that belongs to weights or training", async () => {
    const base = join(folder, "base");
    await cp(bpe.directory, base, { recursive: true });
    for (const path of ["1_Pooling", "onnx"]) await mkdir(join(base, path));
    const files = {
      "modeling.py": "raise SystemExit",
      LICENSE: "Apache",
      "1_Pooling/config.json": "{}",
      "model.safetensors.index.json": "{}",
      "onnx/config.json": "{}",
      "trainer_state.json": "{}",
      "README.md": "old",
      ".hidden.json": "{}",
      "model.safetensors": "",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(base, name), text);
    await symlink(join(base, "modeling.py"), join(base, "linked.py"));
    await symlink("/", join(base, "everything"));
    const { files: written } = await writeModelFiles(join(folder, "plain", "deep"), {
      base,
      networks: [bpe],
      card: false,
    });
    expect(written).toEqual(
      [
        "1_Pooling/config.json",
        "LICENSE",
        "chat_template.jinja",
        "config.json",
        "linked.py",
        "modeling.py",
      ].concat(["tokenizer.json", "tokenizer_config.json"]),
    );
    for (const file of ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "modeling.py"]) {
      expect(await readText("plain", "deep", file)).toBe(await readText("base", file));
    }
  });

  it("leaves out links that lead out of the folder, and says so; a config that is one is refused", async () => {
    const [base, secret] = [join(folder, "cloned"), join(folder, "secret.json")];
    await cp(bpe.directory, base, { recursive: true });
    await writeFile(secret, '{"password":"1234"}');
    for (const name of ["NOTICE", "extra.json", "generation_config.json"])
      await symlink("../secret.json", join(base, name));
    const options = { base, networks: [bpe], card: false };
    const { files, notes } = await writeModelFiles(join(folder, "from-cloned"), options);
    expect(files).toEqual(["chat_template.jinja", "config.json", "tokenizer.json", "tokenizer_config.json"]);
    expect(notes).toEqual(
      ["NOTICE", "extra.json", "generation_config.json"].map(
        (name) => `"${name}" is left out: in "${base}" it is a link that leads out of that folder`,
      ),
    );
    await rm(join(base, "config.json"));
    await symlink("../secret.json", join(base, "config.json"));
    await expect(writeModelFiles(join(folder, "from-cloned-2"), options)).rejects.toThrow(
      /a link in a folder must lead to a file in it/,
    );
  });

  it("writes the tokenizer, sizes and ids of a planned vocabulary", async () => {
    const base = join(folder, "padded");
    await cp(padded.directory, base, { recursive: true });
    const config = JSON.parse(await readFile(join(base, "config.json"), "utf8"));
    await writeFile(
      join(base, "config.json"),
      `${JSON.stringify({ ...config, pad_token_id: 48, eos_token_id: [1, 49], bos_token_id: 0 }).slice(0, -1)}, "rope_theta": 10000.0}`,
    );
    await writeFile(join(base, "generation_config.json"), '{"pad_token_id": 48, "temperature": 1.0}');
    await writeFile(join(base, "tokenizer.model"), "old");
    const networks = [chat, { name: "padded", directory: base }] as const;
    const tokenizer = { source: "union", padToMultipleOf: 8 };
    const vocabulary = await planVocabulary({ networks, base: 1, tokenizer });
    const { files } = await writeModelFiles(join(folder, "union"), {
      base,
      networks,
      vocabulary,
      dtype: "f16",
    });
    expect(files).not.toContain("tokenizer.model");
    const written = await readVocabulary(join(folder, "union"));
    expect(written?.ids).toEqual(vocabulary.tokenizer.ids);
    expect(written?.ids.has("<unused>")).toBe(false);
    expect(await readJson("union", "config.json")).toMatchObject({ vocab_size: 56, torch_dtype: "float16" });
    // Python tells floats from whole numbers, and a length may have 31 digits.
    expect(await readText("union", "config.json")).toContain('"rope_theta": 10000.0');
    expect(await readText("union", "generation_config.json")).toContain('"temperature": 1.0');
    expect(await readText("union", "tokenizer_config.json")).toContain(": 1000000000000000019884624838656");

    const other = await planVocabulary({ networks, base: 1, tokenizer: { source: "bpe-chat" } });
    const { notes } = await writeModelFiles(join(folder, "other"), { base, networks, vocabulary: other });
    expect(await readJson("other", "config.json")).toMatchObject({ eos_token_id: [1, 49], bos_token_id: 0 });
    expect(await readJson("other", "generation_config.json")).toEqual({ temperature: 1 });
    expect(notes).toContain("pad_token_id is left out as the result has no such token");
    expect(await readText("other", "tokenizer.json")).toBe(
      await readFile(join(chat.directory, "tokenizer.json"), "utf8"),
    );
  });

  it("adds tokens to older tokenizers by added_tokens.json", async () => {
    const directory = join(folder, "older");
    await mkdir(directory);
    await writeFile(join(directory, "vocab.txt"), "[PAD]\n[UNK]\nland\n");
    const networks = [{ name: "older", directory }] as const;
    const tokenizer = { tokens: { "[NEW]": { source: { kind: "zero" } } } };
    const vocabulary = await planVocabulary({ networks, tokenizer });
    const { notes } = await writeModelFiles(join(folder, "newer"), { base: directory, networks, vocabulary });
    expect(await readJson("newer", "added_tokens.json")).toEqual({ "[NEW]": 3 });
    expect((await readVocabulary(join(folder, "newer")))?.ids).toEqual(vocabulary.tokenizer.ids);
    expect(notes).toEqual([`"${directory}" has no config.json: the result has none`]);
  });

  it("puts the chat template in its file alone", async () => {
    const base = join(folder, "talking");
    await cp(bpe.directory, base, { recursive: true });
    const settings = JSON.parse(await readFile(join(base, "tokenizer_config.json"), "utf8"));
    await writeFile(
      join(base, "tokenizer_config.json"),
      JSON.stringify({ ...settings, chat_template: "old" }),
    );
    await writeModelFiles(join(folder, "chat"), {
      base,
      networks: [bpe, chat, padded],
      chatTemplate: "auto",
    });
    expect(await readText("chat", "chat_template.jinja")).toBe("B{{ messages }}");
    expect(await readJson("chat", "tokenizer_config.json")).not.toHaveProperty("chat_template");
  });

  it("refuses the directory of a network, under whatever name", async () => {
    await symlink(bpe.directory, join(folder, "link"));
    const written = writeModelFiles(join(folder, "link"), { base: chat.directory, networks: [bpe, chat] });
    await expect(written).rejects.toThrow(/must not be the directory of a network that is merged/);
  });
});

describe("changeConfig()", () => {
  const qwen = {
    ...{ _name_or_path: "x", num_hidden_layers: 4, max_window_layers: 4, num_experts: 4 },
    layer_types: ["full", "sliding", "full", "linear"],
    mlp_only_layers: [1, 3],
    eos_token_id: [1, 2, 3, 4],
  };

  it("cuts and stacks what is said of each layer", () => {
    const { config, notes } = changeConfig(qwen, { layers: { layers: [0, 1, 3, 3, 2] } });
    expect(config).toEqual({
      ...{ num_hidden_layers: 5, max_window_layers: 4, num_experts: 4, eos_token_id: [1, 2, 3, 4] },
      layer_types: ["full", "sliding", "linear", "linear", "full"],
      mlp_only_layers: [1, 2, 3],
    });
    expect(notes).toEqual([
      "config.json keeps max_window_layers: 4 of the base, which had 4 layers: check it",
    ]);
    expect(changeConfig(qwen, { layers: { layers: [0, 1, 2, 3] } }).notes).toEqual([]);
  });

  it("changes the language model's part of models of several modules", () => {
    const towers = {
      dtype: "float32",
      text_config: { num_hidden_layers: 2, vocab_size: 8, dtype: "float32" },
      vision_config: { num_hidden_layers: 7 },
    };
    const changes = { layers: { layers: [1] }, vocabularySize: 16, dtype: "bf16", tied: true } as const;
    expect(changeConfig(towers, changes).config).toEqual({
      ...{ dtype: "bfloat16", tie_word_embeddings: true },
      text_config: { num_hidden_layers: 1, vocab_size: 16, dtype: "bfloat16" },
      vision_config: { num_hidden_layers: 7 },
    });
  });

  it("refuses layers that are not there, and a config without layers", () => {
    expect(() => changeConfig(qwen, { layers: { layers: [4] } })).toThrow(
      'of 1 layers as those of the base, by "num_hidden_layers", are 0 to 3: one is like its layer 4',
    );
    expect(() => changeConfig({}, { layers: { layers: [0] } })).toThrow(
      "must say how many it has: it has none of num_hidden",
    );
  });

  it("finds the key that counts layers by their number, if it is the only one, or by its name", () => {
    const zorb = { model_type: "zorbnet", depth: 4, width: 32, patch: 2 };
    const layers = [0, 1, 1, 2, 3];
    expect(changeConfig(zorb, { layers: { layers, count: 4 } }).config).toEqual({ ...zorb, depth: 5 });
    const heads = { ...zorb, heads: 4 };
    expect(() => changeConfig(heads, { layers: { layers, count: 4 } })).toThrow(
      '"depth" and "heads" are both 4; write the key that counts them, as num_layers_config_key: NAME in the recipe',
    );
    expect(changeConfig(heads, { layers: { layers, count: 4, key: "depth" } }).config).toEqual({
      ...heads,
      depth: 5,
    });
    expect(() => changeConfig(heads, { layers: { layers, count: 4, key: "dpth" } })).toThrow(
      'num_layers_config_key is "dpth", and the config of the base has no number there',
    );
    // As many layers as before, in their order, need no key.
    expect(changeConfig(heads, { layers: { layers: [0, 1, 2, 3], count: 4 } }).config).toEqual(heads);
    const text = { text_config: { blocks: 4 }, vision_config: { blocks: 4 } };
    expect(changeConfig(text, { layers: { layers, count: 4 } }).config).toMatchObject({
      text_config: { blocks: 5 },
    });
  });
});

describe("chooseChatTemplate()", () => {
  const golden = JSON.parse(readFileSync(join(GOLDEN, "chats.json"), "utf8")) as readonly {
    name: string;
    messages: readonly { role: string; content: string }[];
    prompt: boolean;
    text: string;
  }[];
  const render = async (name: string, messages: unknown, prompt: boolean) =>
    new Template((await chooseChatTemplate(name, [])) ?? "").render({
      ...{ messages, add_generation_prompt: prompt, bos_token: "<s>", eos_token: "</s>" },
    });

  it.each(golden)(
    "prints as mergekit's $name with prompt $prompt",
    async ({ name, messages, prompt, text }) => {
      expect(await render(name, messages, prompt)).toBe(text);
    },
  );

  it("prints other formats as they are published", async () => {
    const messages = [
      { role: "system", content: "S" },
      { role: "user", content: "U" },
      { role: "assistant", content: "A" },
    ];
    expect(await render("alpaca", messages, true)).toBe(
      "S\n\n### Instruction:\nU\n\n### Response:\nA\n\n### Response:\n",
    );
    expect(await render("llama3", messages, true)).toBe(
      "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>" +
        "<|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    );
    expect(await render("exaone", messages, true)).toBe(
      "[|system|]S[|endofturn|]\n[|user|]U\n[|assistant|]A[|endofturn|]\n[|assistant|]",
    );
  });

  it("takes Jinja as it is, what most networks have, and nothing else", async () => {
    const own = "{% for m in messages %}{{ m }}{% endfor %}";
    expect(await chooseChatTemplate(own, [])).toBe(own);
    expect(await chooseChatTemplate("auto", [bpe.directory, chat.directory])).toBe("A{{ messages }}");
    expect(await chooseChatTemplate("auto", [directoryOf("unigram")])).toBeUndefined();
    await expect(chooseChatTemplate("chatlm", [])).rejects.toThrow(
      'Cannot use "chatlm" as chat template as it must be auto, alpaca, chatml, exaone, llama3, mistral or a Jinja text',
    );
  });
});

describe("formatModelCard()", () => {
  it("lists networks in front matter, in a table, and the recipe whatever it holds", () => {
    const card = formatModelCard({
      name: "merged",
      method: "ties",
      networks: [
        { name: "org/base", isBase: true },
        { name: "org/tuned@main+org/adapter", parameters: { weight: 0.5, density: [0, 1] } },
        { name: "./here|there", parameters: { weight: 1 } },
      ],
      recipe: "merge_method: ties # ```\n",
      notes: ["look here"],
    });
    const [, front = "", ...body] = card.split(/^---$/m);
    expect(parse(front)).toEqual({
      base_model: ["org/base", "org/tuned", "org/adapter"],
      base_model_relation: "merge",
      library_name: "transformers",
      tags: ["merge", "isthmus"],
    });
    expect(body.join("---")).toContain(
      [
        "| network | role | weight | density |",
        "| --- | --- | --- | --- |",
        "| [org/base](https://huggingface.co/org/base) | base |  |  |",
        "| org/tuned@main+org/adapter |  | 0.5 | [0,1] |",
        "| ./here\\|there |  | 1 |  |",
      ].join("\n"),
    );
    expect(card).toContain("````yaml\nmerge_method: ties # ```\n````\n");
    expect(card).toContain("- look here");
  });
});
