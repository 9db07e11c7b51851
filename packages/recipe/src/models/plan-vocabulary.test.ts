import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergedDocument, mergedSettings } from "./merge-tokenizer.ts";
import { planVocabulary, type TokenizerOptions } from "./plan-vocabulary.ts";
import { readVocabulary } from "./read-vocabulary.ts";
import { remapVocabulary } from "./remap-vocabulary.ts";
import type { VocabularyNetwork } from "./vocabulary-plan.ts";

const FOLDER = new URL("../../test/golden/vocabularies/", import.meta.url).pathname;

/** What tools/golden/make-vocabularies.py wrote. */
interface GoldenCase {
  readonly name: string;
  readonly networks: readonly string[];
  readonly source: string;
  readonly base?: number;
  readonly pad?: number;
  readonly tokens?: NonNullable<TokenizerOptions["tokens"]>;
  readonly size: number;
  readonly vocabulary: Readonly<Record<string, number>>;
  /** Of each network: its rows by token, and under the empty name a row of padding. */
  readonly rows: readonly Readonly<Record<string, readonly number[]>>[];
  readonly splits: readonly (readonly string[])[];
}
const golden = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as {
  samples: readonly string[];
  cases: readonly GoldenCase[];
};

function networksOf(names: readonly string[]): [VocabularyNetwork, ...VocabularyNetwork[]] {
  return names.map((name) => ({ name, directory: join(FOLDER, name) })) as [VocabularyNetwork];
}

function planOf({ networks, source, base, pad = 1, tokens = {} }: GoldenCase) {
  const tokenizer = { source, tokens, padToMultipleOf: pad };
  return planVocabulary({ networks: networksOf(networks), base, tokenizer });
}

/** The embedding of network n that the golden script makes: row i is [i + n / 8, -i, n]. */
function embeddingOf(name: string, n: number): Checkpoint {
  const { vocab_size: count } = JSON.parse(readFileSync(join(FOLDER, name, "config.json"), "utf8"));
  const rows = Array.from({ length: count }, (_, i) => [i + n / 8, -i, n]).flat();
  return createCheckpoint({
    "embed_tokens.weight": createTensor("f32", [count, 3], Float32Array.from(rows)),
  });
}

const AXES = new Map([["embed_tokens.weight", 0]]);

describe.each(golden.cases)("planVocabulary() as mergekit 0.1.5: $name", (item) => {
  it("has the same tokens", async () => {
    const { tokens, size, tokenizer } = await planOf(item);
    expect(size).toBe(item.size);
    expect([...tokenizer.ids.keys()].sort()).toEqual(Object.keys(item.vocabulary).sort());
    // New ordinary tokens are numbered by a hash table there; all others have the same id.
    const ofBase = await readVocabulary(join(FOLDER, item.networks[item.base ?? 0] ?? ""));
    for (const [id, token] of tokens.entries()) {
      if (ofBase?.ids.has(token ?? "")) expect(item.vocabulary[token ?? ""]).toBe(id);
    }
  });

  it("has the same rows", async () => {
    const plan = await planOf(item);
    const networks = item.networks.map(embeddingOf);
    const views = remapVocabulary(
      networks,
      networks.map(() => AXES),
      plan,
    );
    for (const [n, view] of views.entries()) {
      const { shape, data } = await view.read("embed_tokens.weight");
      expect(shape).toEqual([item.size, 3]);
      for (const id of Array(item.size).keys()) {
        const expected = item.rows[n]?.[plan.tokens[id] ?? ""];
        const row = [...data.subarray(3 * id, 3 * id + 3)] as number[];
        for (const [k, value] of row.entries()) expect(value).toBeCloseTo(expected?.[k] ?? Number.NaN, 4);
      }
    }
  });

  it("splits texts in the same way", async () => {
    const { tokenizer, tokens } = await planOf(item);
    const library = new Tokenizer(mergedDocument(tokenizer) as never, mergedSettings(tokenizer) as never);
    const splits = golden.samples.map((text) => library.encode(text).ids.map((id: number) => tokens[id]));
    expect(splits).toEqual(item.splits);
  });
});

describe("planVocabulary()", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isthmus-vocabulary-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("says which tokens a base cannot split as the network that has them", async () => {
    const plan = await planVocabulary({ networks: networksOf(["bpe", "bpe-other"]), base: 0 });
    expect(plan.notes).toEqual([
      expect.stringMatching(/^\d+ ordinary tokens of "bpe-other" are not in the base's tokenizer/),
    ]);
  });

  it.each([0, 1.5])("refuses rows that are a multiple of %s", async (padToMultipleOf) => {
    const plan = planVocabulary({ networks: networksOf(["bpe"]), tokenizer: { padToMultipleOf } });
    await expect(plan).rejects.toThrow(/pad_to_multiple_of must be a whole number of at least 1/);
  });

  it("takes a network without a tokenizer to have that of the base, and says so", async () => {
    const networks = [...networksOf(["bpe"]), { name: "bare", directory: folder }] as const;
    const { networks: found, notes } = await planVocabulary({
      networks: [networks[0], networks[1] as never],
    });
    expect(found[1]?.rows).toEqual(found[0]?.rows);
    expect(notes).toEqual(['"bare" has no tokenizer: it is taken to have that of "bpe"']);
  });

  it("refuses a base without a tokenizer", async () => {
    const plan = planVocabulary({ networks: [{ name: "bare", directory: folder }] });
    await expect(plan).rejects.toThrow(
      `Cannot plan the vocabulary as "bare" must have a tokenizer: there is no tokenizer.json, vocab.json or vocab.txt in "${folder}"`,
    );
  });

  it.each([
    ["<s>", { source: "other" }, 'must be a network of the merge: they are "bpe", "bpe-chat"'],
    [
      "<s>",
      { source: { kind: "model_token", model: "bpe", token_id: 56 } },
      "its rows are 0 to 55: token_id is 56",
    ],
    [
      "<s>",
      { source: { kind: "model_token", model: "bpe", token: "?" } },
      'its vocabulary must have "?": it has not',
    ],
    ["<s>", { source: { kind: "mean" } }, "its source must be a network, {kind: zero} or"],
  ] as const)("refuses a row of %s from %j", async (token, row, message) => {
    const networks = networksOf(["bpe", "bpe-chat"]);
    const plan = planVocabulary({ networks, base: 0, tokenizer: { tokens: { [token]: row } } });
    await expect(plan).rejects.toThrow(message);
  });

  it("reads vocab.txt and vocab.json, and tells of a SentencePiece model", async () => {
    const read = async (files: Record<string, string>) => {
      const directory = await mkdtemp(join(folder, "plain-"));
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
      return readVocabulary(directory);
    };
    const words = await read({ "vocab.txt": "[PAD]\n[UNK]\nland\n", "added_tokens.json": '{"[X]": 3}' });
    expect([...(words?.ids ?? [])]).toEqual([
      ["[PAD]", 0],
      ["[UNK]", 1],
      ["land", 2],
      ["[X]", 3],
    ]);
    const pairs = await read({
      "vocab.json": '{"a": 0, "b": 1}',
      "merges.txt": "a b",
      "special_tokens_map.json": '{"eos_token": {"content": "<|end|>"}}',
    });
    expect([...(pairs?.ids ?? [])]).toEqual([
      ["a", 0],
      ["b", 1],
      ["<|end|>", 2],
    ]);
    await expect(read({ "tokenizer.model": "" })).rejects.toThrow(
      /they are in tokenizer\.model only; make tokenizer\.json in Python .*save_pretrained/,
    );
    await expect(read({ "tokenizer.json": "[]" })).rejects.toThrow("it must hold an object: it holds []");
    await expect(read({ "tokenizer.json": "{}" })).rejects.toThrow("it must have model.vocab");
    await expect(read({ "vocab.json": '{"a": -1}' })).rejects.toThrow('"a" has -1');
    expect(await read({})).toBeUndefined();
  });

  it("adds no tokens to a tokenizer with gaps, which would be numbered otherwise when it is loaded", async () => {
    const directory = await mkdtemp(join(folder, "gap-"));
    await writeFile(join(directory, "vocab.json"), '{"a": 0, "b": 2}');
    const networks = [{ name: "gap", directory }] as const;
    const plan = planVocabulary({ networks, tokenizer: { tokens: { new: { source: { kind: "zero" } } } } });
    await expect(plan).rejects.toThrow("its ids must be 0 to 2: no token has 1");
    expect((await planVocabulary({ networks })).tokens).toEqual(["a", undefined, "b"]);
  });
});
