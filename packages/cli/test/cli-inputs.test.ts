import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LayersResult } from "@isthmus/barrier";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, randomWeights } from "@isthmus/graph";
import { networkOfConfig, openModel, openTokenizer } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";

// Files that golden/generate-inputs.py wrote, with what PyTorch computes.
const FILES = fileURLToPath(new URL("../../../test/fixtures/inputs", import.meta.url));
const VOCABULARY = 11;
const CONFIG = {
  ...{ model_type: "gpt2", architectures: ["GPT2LMHeadModel"], vocab_size: VOCABULARY },
  ...{ n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16 },
};
/** A byte-level BPE as of GPT-2, and the number of its tokens. */
const TOKENIZER = new URL("../../zoo/test/golden/tokenizers/gpt2/tokenizer.json", import.meta.url);
const BYTES_VOCABULARY = 330;
let folder: string;

/** Writes a model's folder with random weights. */
async function writeModel(name: string, seed: number, files: Readonly<Record<string, unknown>> = {}) {
  mkdirSync(join(folder, name));
  const { "config.json": config = CONFIG } = files;
  const weights = randomWeights(networkOfConfig(config).graph, seed);
  await saveCheckpoint(createCheckpoint(weights), join(folder, name));
  for (const [file, content] of Object.entries({ "config.json": config, ...files }))
    writeFileSync(join(folder, name, file), JSON.stringify(content));
}

const writeArrays = (name: string, arrays: Record<string, Tensor>) =>
  saveCheckpoint(createCheckpoint(arrays), join(folder, name));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-inputs-"));
  cpSync(FILES, folder, { recursive: true });
  const characters = Object.fromEntries([..."abcdefghi \n"].map((character, i) => [character, i]));
  for (const [name, seed] of [
    ["gpt-a", 1],
    ["gpt-b", 2],
  ] as const)
    await writeModel(name, seed, { "vocab.json": characters });
  for (const [name, seed] of [
    ["words-a", 3],
    ["words-b", 4],
  ] as const)
    await writeModel(name, seed, { "tokenizer.json": {} });
  const tokenizer = JSON.parse(readFileSync(TOKENIZER, "utf8"));
  for (const [name, seed] of [
    ["bytes-a", 5],
    ["bytes-b", 6],
  ] as const) {
    const config = { ...CONFIG, vocab_size: BYTES_VOCABULARY };
    await writeModel(name, seed, { "config.json": config, "tokenizer.json": tokenizer });
  }
  writeFileSync(join(folder, "text.txt"), "abc deg\nhi badge face ".repeat(20));
  writeFileSync(join(folder, "odd.txt"), "abc def xyz ".repeat(20));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: readonly string[]) => runCli(args, { cwd: folder });
const json = <T>(args: readonly string[]) => runJson<T>(args, { cwd: folder });

interface Ends {
  readonly points: readonly { loss: number; error: number; perplexity?: number }[];
  readonly binding: { readonly batch: { exported: number; reason: string | null } | null };
}

/** PyTorch's mean loss, share of errors and perplexity, of the network of a seed. */
async function scoresOf(name: string, seed: number): Promise<readonly number[]> {
  const file = await openCheckpoint(join(folder, `${name}-scores.safetensors`));
  const scores = Array.from((await file.read(`scores${seed}`)).data as Float64Array);
  await file.close();
  return scores;
}

const pairOf = (name: string) => [`${name}-0.safetensors`, `${name}-1.safetensors`];
const dataOf = (name: string) => ["--data", `safetensors:${name}-examples.safetensors`];
const MORE: Readonly<Record<string, readonly string[]>> = { speller: ["--logits", "logits"] };

describe("the command on exported graphs", () => {
  const EXPORTS = [
    "towers-dynamo-1",
    "towers-dynamo-any",
    "towers-legacy-2",
    "towers-parameters-2",
    "tagger-dynamo-2",
    "tagger-legacy-any",
    "speller-dynamo-1",
    "speller-legacy-2",
    "picker-legacy-2",
    "attention-dynamo-1",
  ];
  test.each(EXPORTS)("barrier measures at the ends what PyTorch does: %s", async (file) => {
    const [name = "", , batch] = file.split("-");
    const args = [
      "barrier",
      ...pairOf(name),
      "--graph",
      `${file}.onnx`,
      ...dataOf(name),
      ...(MORE[name] ?? []),
    ];
    const { points, binding } = await json<Ends>([...args, "--points", "3", "--statistics", "keep"]);
    for (const [seed, point] of [points[0], points.at(-1)].entries()) {
      const [loss, error, perplexity] = await scoresOf(name, seed);
      expect(point).toMatchObject({ loss: expect.closeTo(loss!, 6), error: expect.closeTo(error!, 9) });
      if (point?.perplexity !== undefined) expect(point.perplexity).toBeCloseTo(perplexity!, 4);
    }
    expect(binding.batch?.exported).toBe(batch === "any" ? undefined : Number(batch));
    expect(binding.batch?.reason ?? null).toEqual(
      name === "picker" ? expect.stringMatching(/combines/) : null,
    );
  });

  test("says what it fills in, leaves unread, scores, and does about the batch", async () => {
    const file = await openCheckpoint(join(folder, "tagger-examples.safetensors"));
    const [input_ids, y] = [await file.read("input_ids"), await file.read("y")];
    await file.close();
    await writeArrays("unmasked.safetensors", { input_ids, y, token_type_ids: input_ids });
    const args = ["barrier", ...pairOf("tagger"), "--graph", "tagger-dynamo-2.onnx", "--points", "3"];
    const { stderr } = await run([...args, "--data", "safetensors:unmasked.safetensors"]);
    expect(stderr).toMatch(/was exported for 2 examples; it is used for any number/);
    expect(stderr).toMatch(/Not in safetensors:unmasked\.safetensors, filled in: attention_mask by ones\./);
    expect(stderr).toMatch(/but not read by the graph: token_type_ids\./);
    expect(stderr).toMatch(/Each position is compared with its own label\./);
    const several = await run([
      "barrier",
      ...pairOf("speller"),
      "--graph",
      "speller-dynamo-any.onnx",
      ...dataOf("speller"),
    ]);
    expect(several.stderr).toMatch(/Output "logits" is scored; --logits chooses another: hidden\./);
    expect(several.code).toBe(0);
  });

  test("aligns and merges a graph of a fixed batch, and one of which the inputs must be named", async () => {
    const graph = ["--graph", "speller-legacy-1.onnx"];
    const aligned = await json<{ verified: object }>([
      "align",
      ...pairOf("speller"),
      ...graph,
      "-o",
      "s.safetensors",
    ]);
    expect(aligned.verified).toMatchObject({ passed: true });
    const named = ["--graph", "towers-parameters-2.onnx", "--input", "left", "--input", "right"];
    const ends = [
      "barrier",
      "towers-0.safetensors",
      "t.safetensors",
      ...named,
      ...dataOf("towers"),
      "--points",
      "3",
    ];
    await json(["merge", ...pairOf("towers"), "--weights", "0,1", ...named, "-o", "t.safetensors"]);
    const { points } = await json<Ends>(ends);
    expect(points.at(-1)?.loss).toBeCloseTo((await scoresOf("towers", 1))[0]!, 6);
    const wrong = await run([
      ...ends.slice(0, 3),
      "--graph",
      "towers-parameters-2.onnx",
      "--input",
      "up",
      ...dataOf("towers"),
    ]);
    expect(wrong.stderr).toMatch(/Cannot take "up" for a data input .*: they are left, right, one\.weight/);
  });

  test("layers predicts and measures barriers of tagged and filled-up examples alike", async () => {
    for (const [file, name] of [
      ["tagger-legacy-1", "tagger"],
      ["picker-legacy-2", "picker"],
    ] as const) {
      const args = [
        "layers",
        ...pairOf(name),
        "--graph",
        `${file}.onnx`,
        ...dataOf(name),
        "--points",
        "3",
        "--predict",
        "23",
      ];
      const result = await json<{
        predictions: { ends: { network: string; slope: number }[] }[];
        cuts: unknown[];
      }>(args);
      expect(JSON.stringify(result)).toMatch(/"predicted":/);
    }
  });

  test.each([
    ["towers-dynamo-2", ["--batch", "5"]],
    ["tagger-legacy-any", ["--batch", "4"]],
    ["speller-dynamo-1", ["--batch", "4", ...(MORE["speller"] ?? [])]],
    ["picker-legacy-2", []],
  ])("train goes on from a checkpoint: %s", async (file, more) => {
    const [name = ""] = file.split("-");
    const args = [
      "train",
      "--graph",
      `${file}.onnx`,
      "--from",
      `${name}-0.safetensors`,
      ...dataOf(name),
      ...more,
    ];
    const set = `safetensors:${name}-examples.safetensors`;
    const output = `${file}-trained.safetensors`;
    const { epochs, batch } = await json<{
      epochs: { loss: number; evaluation: { loss: number } }[];
      batch: number;
    }>([...args, "--eval-data", set, "--epochs", "6", "--lr", "0.05", "-o", output]);
    const [before] = await scoresOf(name, 0);
    expect(epochs.at(-1)?.evaluation.loss).toBeLessThan(before!);
    expect(epochs.at(-1)?.loss).toBeLessThan(epochs[0]!.loss);
    expect(batch).toBe(name === "picker" ? 2 : Number(more[1]));
    const restored = await openCheckpoint(join(folder, output));
    const from = await openCheckpoint(join(folder, `${name}-0.safetensors`));
    expect([...restored.tensors.keys()]).toEqual([...from.tensors.keys()]);
    await Promise.all([restored.close(), from.close()]);
  });

  test("train says why a batch cannot be what was asked for", async () => {
    const args = [
      "train",
      "--graph",
      "picker-legacy-2.onnx",
      "--from",
      "picker-0.safetensors",
      ...dataOf("picker"),
      "-o",
      "p.safetensors",
    ];
    const refused = await run([...args, "--batch", "5"]);
    expect(refused.stderr).toMatch(
      /by batches of 5 as graph .* was exported for batches of 2 and takes no others: leave the batch out/,
    );
    const single = await run(args.map((word) => word.replace("legacy-2", "legacy-1")));
    expect(single.stderr).toMatch(/its batch norms must see several examples at once.*batches of 1/);
    expect([refused.code, single.code]).toEqual([2, 2]);
  });
});

describe("the command on model folders", () => {
  const ids = (length: number, largest = VOCABULARY - 1) =>
    createTensor(
      "i64",
      [6, length],
      BigInt64Array.from({ length: 6 * length }, (_, i) => BigInt((i * i) % (largest + 1))),
    );

  test("barrier, layers and plane need no graph, and give the perplexity of token ids", async () => {
    await writeArrays("tokens.safetensors", { input_ids: ids(12) });
    const data = ["--data", "safetensors:tokens.safetensors"];
    const { points } = await json<Ends>(["barrier", "gpt-a", "gpt-b", ...data, "--points", "3"]);
    const { network, checkpoint } = await openModel(join(folder, "gpt-a"), { length: 12 });
    const set = await openDataSet(`safetensors:${join(folder, "tokens.safetensors")}`);
    const evaluator = await createEvaluator({ graph: network.graph, engine: createOnnxRuntimeEngine() }, set);
    const expected = await evaluator.evaluate(checkpoint);
    await Promise.all([evaluator.release(), checkpoint.close()]);
    expect(points[0]?.loss).toBeCloseTo(expected.loss, 6);
    expect(points[0]?.perplexity).toBeCloseTo(expected.perplexity!, 4);
    const { stdout } = await run(["barrier", "gpt-a", "gpt-b", ...data, "--points", "3"]);
    expect(stdout).toMatch(/perplexity at A +\d/);
    expect(stdout).toMatch(/perplexity at the barrier +\d/);
    const layers = await json<LayersResult>(["layers", "gpt-a", "gpt-b", ...data, "--points", "3"]);
    expect(layers.whole.points.map(({ perplexity }) => perplexity)).toEqual(
      points.map(({ perplexity }) => expect.closeTo(perplexity!, 4)),
    );
    for (const { a, b } of layers.layers) {
      expect([...a.points, ...b.points].every(({ perplexity = 0 }) => perplexity > 1)).toBe(true);
    }
    const text = await run(["layers", "gpt-a", "gpt-b", ...data, "--points", "3"]);
    expect(text.stdout).toMatch(
      /^Perplexity: [\d.]+ in A, [\d.]+ in B, [\d.]+ with all layers half-way; of/m,
    );
    expect(await json(["plane", "gpt-a", "words-b", "gpt-b", ...data, "--points", "2"])).toMatchObject({
      kind: "plane",
    });
  });

  test("curve and star train on token ids of a model's folder", async () => {
    await writeArrays("many.safetensors", { input_ids: ids(12) });
    const data = ["--data", "safetensors:many.safetensors", "--test-data", "safetensors:many.safetensors"];
    const more = ["--batch", "3", "--epochs", "1", "--points", "3"];
    const curve = await json<{ kind: string }>([
      "curve",
      "gpt-a",
      "gpt-b",
      ...data,
      ...more,
      "-o",
      "bend.safetensors",
    ]);
    expect(curve.kind).toBe("curve");
    const named = ["--data", "safetensors:many.safetensors", "--test-data", "none"];
    const star = await json<{ kind: string }>([
      "star",
      "gpt-a",
      "gpt-b",
      ...named,
      ...more,
      "-o",
      "star.safetensors",
    ]);
    expect(star.kind).toBe("star");
  });

  test("texts are encoded with the model's own characters, and one that it lacks is named", async () => {
    const args = ["barrier", "gpt-a", "gpt-b", "--points", "3"];
    const { points } = await json<Ends>([...args, "--data", "text:text.txt"]);
    const { network, checkpoint } = await openModel(join(folder, "gpt-a"), { length: 16 });
    const vocabulary = new Map([..."abcdefghi \n"].map((character, i) => [character, i] as const));
    const set = await openDataSet(`text:${join(folder, "text.txt")}`, { context: 16, vocabulary });
    const evaluator = await createEvaluator({ graph: network.graph, engine: createOnnxRuntimeEngine() }, set);
    const expected = await evaluator.evaluate(checkpoint);
    await Promise.all([evaluator.release(), checkpoint.close()]);
    expect(points[0]?.loss).toBeCloseTo(expected.loss, 6);
    const odd = await run([...args, "--data", "text:odd.txt"]);
    expect(odd.stderr).toMatch(
      /vocabulary of 11 characters must have each of its characters: "x", character 8 of the text/,
    );
    const words = await run(["barrier", "words-a", "words-b", "--data", "text:text.txt"]);
    expect(words.stderr).toMatch(/tokenizer.json" as it must be a tokenizer of Hugging Face form: /);
  });

  test("texts are encoded with the model's tokenizer, and measured as the same tokens in a file are", async () => {
    const encode = await openTokenizer(join(folder, "bytes-a"));
    const ids = encode(readFileSync(join(folder, "text.txt"), "utf8"));
    writeFileSync(join(folder, "tail.bin"), Uint16Array.from(ids.subarray(Math.floor(0.9 * ids.length))));
    const args = ["barrier", "bytes-a", "bytes-b", "--points", "3", "--data"];
    const { points } = await json<Ends>([...args, "text:text.txt"]);
    expect(points[0]?.perplexity).toBeGreaterThan(100);
    expect((await json<Ends>([...args, "tokens:tail.bin"])).points).toEqual(points);
    const beyond = await run(["barrier", "gpt-a", "gpt-b", "--data", "tokens:tail.bin"]);
    expect(beyond.stderr).toMatch(
      /must be in the model's vocabulary, from 0 to 10: token 0 is \d+; check that/,
    );
    expect(beyond.code).toBe(2);
  });

  test("refuses by name what does not fit", async () => {
    await writeArrays("long.safetensors", { input_ids: ids(17) });
    await writeArrays("beyond.safetensors", { input_ids: ids(8, 30) });
    await writeArrays("short.safetensors", { input_ids: ids(8), labels: ids(7) });
    const mask = createTensor(
      "bool",
      [6, 8],
      Uint8Array.from({ length: 48 }, (_, i) => (i % 8 === 0 ? 0 : 1)),
    );
    await writeArrays("left.safetensors", { input_ids: ids(8), attention_mask: mask });
    const tell = async (name: string) => {
      const { code, stderr } = await run([
        "barrier",
        "gpt-a",
        "gpt-b",
        "--data",
        `safetensors:${name}.safetensors`,
      ]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await tell("long")).toMatch(
      /examples of 17 tokens as there must be a position for each: it has 16; take texts/,
    );
    expect(await tell("beyond")).toMatch(/fed to "ids" must be from 0 to 10, the rows of its table/);
    expect(await tell("short")).toMatch(/its labels are i64 \[6, 7\], of positions they would be \[6, 8\]/);
    expect(await tell("left")).toMatch(
      /has no attention mask and padding must be behind the text: example 0 has padding at position 0/,
    );
    const none = await run(["barrier", "towers-0.safetensors", "towers-1.safetensors", ...dataOf("towers")]);
    expect(none.stderr).toMatch(/needs the architecture: give --graph model\.onnx, or model folders/);
  });
});
