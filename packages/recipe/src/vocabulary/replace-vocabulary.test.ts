import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  asFloat32,
  at,
  createCheckpoint,
  createRandom,
  createTensor,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import { afterAll, describe, expect, it } from "vitest";
import { planReplacement } from "./plan-replacement.ts";
import { replaceVocabulary } from "./replace-vocabulary.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-vocabulary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);

interface MadeModel {
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges?: readonly (readonly [string, string])[];
  readonly width?: number;
  readonly size?: number;
  readonly hasHead?: boolean;
  readonly special?: Readonly<Record<string, number>>;
  readonly pieces?: boolean;
  readonly settings?: object;
  readonly config?: object;
}

/** Saves a model of an embedding, a norm and, if asked, a head with a bias, and its BPE tokenizer. */
async function save(name: string, made: MadeModel): Promise<string> {
  const { vocab, merges = [], width = 6, hasHead = false, special = {}, pieces = false } = made;
  const all = { ...vocab, ...special };
  const size = made.size ?? Math.max(...Object.values(all)) + 1;
  const random = createRandom(size * 31 + width, name);
  const tensor = (shape: readonly number[]) =>
    createTensor(
      "f32",
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const head = { "lm_head.weight": tensor([size, width]), "lm_head.bias": tensor([size]) };
  const tensors = {
    "model.embed_tokens.weight": tensor([size, width]),
    "model.norm.weight": tensor([width]),
    ...(hasHead ? head : {}),
  };
  await mkdir(path(name));
  await saveCheckpoint(createCheckpoint(tensors), path(`${name}/`));
  const write = (file: string, value: object) => writeFile(path(`${name}/${file}`), JSON.stringify(value));
  const added_tokens = Object.entries(special).map(([content, id]) => ({ id, content, special: true }));
  const decoder = { type: pieces ? "Metaspace" : "ByteLevel" };
  await write("config.json", { vocab_size: size, tie_word_embeddings: !hasHead, ...made.config });
  await write("tokenizer_config.json", made.settings ?? {});
  await write("tokenizer.json", {
    added_tokens,
    normalizer: null,
    pre_tokenizer: pieces
      ? null
      : { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder,
    model: { type: "BPE", vocab, merges: merges.map((pair) => pair.join(" ")) },
  });
  return path(name);
}

async function read(name: string, tensor = "model.embed_tokens.weight"): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(path(name));
  const { data, dtype } = await checkpoint.read(tensor);
  await checkpoint.close();
  return asFloat32(data, dtype);
}

const rowOf = (data: Float32Array, id: number, width = 6) => [...data.subarray(id * width, (id + 1) * width)];
const meanOf = (rows: readonly (readonly number[])[]) =>
  (rows[0] ?? []).map((_, i) => rows.reduce((sum, row) => sum + at(row, i), 0) / rows.length);

const letters = Object.fromEntries([..."abcdefghij"].map((letter, i) => [letter, i]));
const model = await save("model", {
  vocab: { ...letters, Ġ: 10, Ġa: 11, ab: 12 },
  merges: [
    ["Ġ", "a"],
    ["a", "b"],
  ],
  special: { "<s>": 13 },
  settings: { bos_token: "<s>" },
  hasHead: true,
  config: { bos_token_id: 13, pad_token_id: 13 },
});
const donor = await save("donor", {
  // The same letters in another order, a new token and a new special one of the same role.
  vocab: { ...Object.fromEntries([..."jihgfedcba"].map((letter, i) => [letter, i])), abc: 10, Ġa: 11 },
  special: { "<begin>": 12, "<tool>": 13 },
  settings: { bos_token: { content: "<begin>" } },
  width: 4,
  size: 16,
  config: { bos_token_id: 12, eos_token_id: 13 },
});

describe("replaceVocabulary()", () => {
  it("copies rows of shared tokens, combines others as the donor does, and pads to the donor's size", async () => {
    const result = await replaceVocabulary(model, donor, path("omp"), { neighbours: 3 });
    expect([result.shared, result.fresh, result.size, result.tokens]).toEqual([12, 2, 16, 14]);
    const [before, after] = [await read("model"), await read("omp")];
    for (const [i, letter] of [..."jihgfedcba"].entries()) {
      expect(rowOf(after, i)).toEqual(rowOf(before, letters[letter] ?? -1));
    }
    expect(rowOf(after, 11)).toEqual(rowOf(before, 11));
    expect(rowOf(after, 12)).toEqual(rowOf(before, 13));
    const all = meanOf(Array.from({ length: 14 }, (_, id) => rowOf(before, id)));
    for (const id of [14, 15]) {
      for (const [i, value] of rowOf(after, id).entries()) expect(value).toBeCloseTo(at(all, i), 6);
    }
    // Embedding and head of the model are compared with the donor's only matrix, in one space.
    expect(result.distances.map(({ tensor, tokens }) => [tensor, tokens.length])).toEqual([
      ["model.embed_tokens.weight", 2],
    ]);
    const config = JSON.parse(await readFile(path("omp/config.json"), "utf8"));
    expect(config).toMatchObject({ vocab_size: 16, bos_token_id: 12, eos_token_id: 13 });
    const tokenizer = "tokenizer.json";
    expect(await readFile(path(`omp/${tokenizer}`), "utf8")).toBe(
      await readFile(path(`donor/${tokenizer}`), "utf8"),
    );
    expect(readdirSync(path("omp")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("gives a model its own rows if the donor's embedding is the model's, also to its head and bias", async () => {
    // In the space of the model itself a combination of as many rows as there are columns is exact.
    const own = await openCheckpoint(model);
    const embedding = await own.read("model.embed_tokens.weight");
    await own.close();
    await save("self", { vocab: { ...letters, Ġ: 10, Ġa: 11, abc: 12 }, special: { "<s>": 13 } });
    await rm(path("self/model.safetensors"));
    await saveCheckpoint(createCheckpoint({ "model.embed_tokens.weight": embedding }), path("self/"));
    const { distances } = await replaceVocabulary(model, path("self"), path("exact"));
    const [before, after] = [await read("model"), await read("exact")];
    for (const [i, value] of rowOf(after, 12).entries())
      expect(value).toBeCloseTo(rowOf(before, 12)[i] ?? 0, 4);
    expect(distances[0]?.tokens[0]?.residual).toBeLessThan(1e-5);
    const [bias, fresh] = [await read("model", "lm_head.bias"), await read("exact", "lm_head.bias")];
    expect(fresh.subarray(0, 12)).toEqual(bias.subarray(0, 12));
    expect(Number.isFinite(fresh[12])).toBe(true);
  });

  it("takes the mean of the pieces, of all rows, or zeros, and reads the donor's weights for none of these", async () => {
    await rm(path("donor/model.safetensors"));
    const before = await read("model");
    for (const method of ["subword", "mean", "zero"] as const) {
      await replaceVocabulary(model, donor, path(method), { method });
    }
    const pieces = meanOf([rowOf(before, 12), rowOf(before, letters["c"] ?? -1)]);
    const split = rowOf(await read("subword"), 10);
    for (const [i, value] of split.entries()) expect(value).toBeCloseTo(at(pieces, i), 6);
    const all = meanOf(Array.from({ length: 14 }, (_, id) => rowOf(before, id)));
    const mean = rowOf(await read("mean"), 10);
    for (const [i, value] of mean.entries()) expect(value).toBeCloseTo(at(all, i), 6);
    expect(rowOf(await read("zero"), 10)).toEqual([0, 0, 0, 0, 0, 0]);
    await expect(replaceVocabulary(model, donor, path("omp"), {})).rejects.toThrow(/donor/);
  });

  it("matches byte-level tokens with those of SentencePiece by their bytes", async () => {
    const bytes = await save("bytes", { vocab: { Ġthe: 0, "Ã©": 1, Ċ: 2, x: 3 } });
    const pieces = await save("pieces", { pieces: true, vocab: { x: 0, é: 1, "▁the": 2, "<0x0A>": 3 } });
    const plan = await planReplacement(bytes, pieces);
    expect([plan.shared, plan.fresh]).toEqual([4, 0]);
  });
});

describe("hostile vocabularies", () => {
  it("counts tokens beyond an embedding as absent, and gives holes and those of the donor the mean row", async () => {
    const short = await save("short", { vocab: { a: 0, b: 1, c: 2, d: 9 }, size: 3, width: 4 });
    const holes = await save("holes", { vocab: { a: 0, b: 5, d: 6, q: 8 }, size: 7, width: 4 });
    const notes: string[] = [];
    const result = await replaceVocabulary(short, holes, path("beyond"), {
      onNote: (note) => notes.push(note),
    });
    expect([result.shared, result.fresh, result.unknown, result.size]).toEqual([2, 2, 1, 9]);
    expect(notes.join("; ")).toMatch(
      /1 tokens of .*short" lie beyond.*holes" lie beyond.*5 ids of .* have no token/,
    );
    const after = await read("beyond");
    expect([...after].every(Number.isFinite)).toBe(true);
    expect(rowOf(after, 8, 4)).toEqual(rowOf(after, 2, 4));
  });

  it("refuses foreign folders, models without a tokenizer or a common token, and ids far apart", async () => {
    const other = await save("other", { vocab: { "1": 0, "2": 1 } });
    await expect(planReplacement(model, other)).rejects.toThrow("of 2 tokens it has none");
    const far = await save("far", { vocab: { a: 0, b: 1_000_000 }, size: 2 });
    await expect(planReplacement(model, far)).rejects.toThrow(
      "must not leave so many holes: 2 ids of 1000001",
    );
    await mkdir(path("foreign"));
    await expect(planReplacement(model, path("foreign"))).rejects.toThrow(
      "both models must have a tokenizer",
    );
    await expect(planReplacement(path("missing"), model)).rejects.toThrow("there is no such folder");
    await expect(replaceVocabulary(model, other, model)).rejects.toThrow(/model/);
  });

  it("lets tokens with one id share a row, and says so", async () => {
    const twins = await save("twins", {
      vocab: { a: 0, b: 1, nothing: 1, q: 2 },
      special: { "<x>": 2 },
      width: 4,
    });
    const notes: string[] = [];
    const plan = await replaceVocabulary(model, twins, path("shared"), {
      onNote: (note) => notes.push(note),
    });
    expect([plan.shared, plan.fresh, plan.size]).toEqual([2, 1, 3]);
    expect(notes.join("; ")).toMatch(/2 tokens of .* have the id of another token/);
    const [before, after] = [await read("model"), await read("shared")];
    expect(rowOf(after, 1)).toEqual(rowOf(before, letters["b"] ?? -1));
  });

  it.each([
    ["a cut file", (text: string) => text.slice(0, 60), /tokenizer\.json/],
    [
      "a huge id",
      (text: string) => text.replace(":1", ":1e300"),
      /ids must be whole numbers from 0 to 16777216/,
    ],
    ["a negative id", (text: string) => text.replace(":1", ":-1"), /ids must be whole numbers/],
    ["an id that is a word", (text: string) => text.replace(":1", ':"1"'), /ids must be whole numbers/],
    [
      "an added token without an id",
      (text: string) => text.replace('"id":9,', ""),
      /must have an id and a content/,
    ],
  ])("refuses %s", async (_, damage, message) => {
    const name = `damaged-${randomUUID()}`;
    await save(name, { vocab: { a: 0, b: 1 }, special: { "<s>": 9 } });
    const file = path(`${name}/tokenizer.json`);
    await writeFile(file, damage(await readFile(file, "utf8")));
    await expect(planReplacement(model, path(name))).rejects.toThrow(message);
    await expect(planReplacement(path(name), model)).rejects.toThrow(message);
  });
});
