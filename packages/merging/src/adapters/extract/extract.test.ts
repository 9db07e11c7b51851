import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  MismatchError,
  openCheckpoint,
  saveCheckpoint,
  toFloat64,
  UsageError,
} from "@isthmus/core";
import { createMatrix, svd } from "@isthmus/linear-algebra";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { applyAdapter } from "../apply-adapter.ts";
import { openAdapter } from "../open-adapter.ts";
import { rankForEnergy, ranksForBytes } from "./choose-ranks.ts";
import { estimateExtraction } from "./estimate-extraction.ts";
import type { SaveExtractedOptions } from "./extract-options.ts";
import { saveExtractedAdapter } from "./save-extracted-adapter.ts";

const root = await mkdtemp(join(tmpdir(), "extract-"));
afterAll(() => rm(root, { recursive: true, force: true }));
let folders = 0;
const freshFolder = () => join(root, String(folders++));

type Shapes = Readonly<Record<string, readonly number[]>>;

/** Names and shapes as GPT-2 and Llama have them: transposed weights with biases, a norm, an embedding. */
const SHAPES: Shapes = {
  "h.0.attn.c_attn.weight": [12, 36],
  "h.0.attn.c_attn.bias": [36],
  "h.0.attn.c_proj.weight": [12, 12],
  "h.0.attn.c_proj.bias": [12],
  "h.0.mlp.up.weight": [20, 12],
  "h.0.norm.weight": [12],
  "h.0.norm.bias": [12],
  "wte.weight": [9, 12],
  "lm_head.weight": [9, 12],
};

async function network(
  seed: number,
  scale: number,
  under?: Checkpoint,
  shapes = SHAPES,
): Promise<Checkpoint> {
  const { normal } = createRandom(seed, "network");
  const tensors = Object.entries(shapes).map(async ([name, shape]) => {
    const base = under === undefined ? undefined : await under.read(name);
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Number(base?.data[i] ?? 0) + scale * normal());
    return [name, createTensor("f32", shape, data)] as const;
  });
  return createCheckpoint(new Map(await Promise.all(tensors)), {}, `network ${seed}`);
}

const base = await network(1, 1);
const tuned = await network(2, 0.1, base);

/** Takes each tensor from one of two networks. */
async function mixed(isTuned: (name: string) => boolean): Promise<Checkpoint> {
  const tensors = [...base.tensors.keys()].map(async (name) => {
    return [name, await (isTuned(name) ? tuned : base).read(name)] as const;
  });
  return createCheckpoint(new Map(await Promise.all(tensors)), {}, "part");
}

/** Returns the norm of the difference of those tensors of two networks whose names fit a test. */
async function distance(a: Checkpoint, b: Checkpoint, isCounted: (name: string) => boolean) {
  let sum = 0;
  for (const [name, { dtype }] of b.tensors) {
    if (!isCounted(name)) continue;
    const [x, y] = [await a.read(name), await b.read(name)];
    const q = toFloat64(y.data, dtype);
    toFloat64(x.data, x.dtype).forEach((value, i) => {
      sum += (value - q[i]!) ** 2;
    });
  }
  return Math.sqrt(sum);
}

async function extracted(options: SaveExtractedOptions, of = tuned) {
  const folder = freshFolder();
  const result = await saveExtractedAdapter(base, of, folder, options);
  const adapter = await openAdapter(folder);
  const config = JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"));
  return { folder, result, adapter, config };
}

const estimated = async (options: SaveExtractedOptions) => estimateExtraction(base, tuned, options);

describe("saveExtractedAdapter", () => {
  test("gives the fine-tune back at full rank, from the stored adapter", async () => {
    // `up` is left out, as it is stored the other way round than the others, which settings say of all.
    const { adapter, result, config } = await extracted({ rank: 99, exclude: ["up"] });
    const applied = applyAdapter(base, adapter);
    expect(await distance(applied, tuned, (name) => !name.includes("up"))).toBeLessThan(1e-5);
    expect(await distance(applied, base, (name) => name.includes("up"))).toBe(0);
    expect(result.modules.map(({ name, rank }) => [name, rank])).toEqual([
      ["h.0.attn.c_attn", 12],
      ["h.0.attn.c_proj", 12],
    ]);
    expect(config).toMatchObject({ fan_in_fan_out: true, bias: "lora_only", r: 12 });
    expect(config.modules_to_save).toEqual(["h.0.norm", "lm_head", "wte"]);
    await adapter.close();
  });

  test("leaves as little as the singular values that are left out", async () => {
    const { result, adapter } = await extracted({ rank: 3, exclude: ["c_attn", "c_proj"] });
    const name = "h.0.mlp.up.weight";
    const [x, y] = [await tuned.read(name), await base.read(name)];
    const difference = Float64Array.from(x.data as Float32Array, (value, i) => value - Number(y.data[i]));
    const least = Math.hypot(...svd(createMatrix(20, 12, difference)).values.slice(3));
    const [module] = result.modules;
    expect(module?.residual).toBeCloseTo(least, 5);
    expect(module?.best).toBeCloseTo(least, 5);
    expect(await distance(applyAdapter(base, adapter), tuned, (one) => one === name)).toBeCloseTo(least, 5);
    expect(result.total?.change).toBeCloseTo(Math.hypot(...difference), 5);
    await adapter.close();
  });

  test("leaves out what did not change, and stores all tensors of a module that did", async () => {
    const changed = ["h.0.mlp.up.weight", "h.0.norm.bias"];
    const { result, config, adapter } = await extracted({}, await mixed((name) => changed.includes(name)));
    expect(result.unchanged).toBe(7);
    // PEFT wants all tensors of a module that it keeps whole.
    expect(result.whole).toEqual(["h.0.norm.weight", "h.0.norm.bias"]);
    expect(config).toMatchObject({
      target_modules: ["h.0.mlp.up"],
      modules_to_save: ["h.0.norm"],
      bias: "none",
    });
    await adapter.close();
    await expect(saveExtractedAdapter(base, base, freshFolder())).rejects.toThrow(/are equal/);
  });

  test("keeps a share of the squared norm, by ranks below the full ones", async () => {
    const { result, adapter } = await extracted({ energy: 0.8 });
    for (const { change = 0, residual = 0, rank } of result.modules) {
      expect(residual ** 2).toBeLessThanOrEqual(0.2 * change ** 2 * 1.0001);
      expect(rank).toBeLessThan(12);
    }
    await adapter.close();
  });

  test("keeps to a number of bytes, and says what is too small", async () => {
    for (const bytes of [8000, 12_000]) {
      const { folder, result, adapter } = await extracted({ bytes });
      const { size } = await stat(join(folder, "adapter_model.safetensors"));
      expect(size).toBeLessThanOrEqual(bytes);
      expect(result.modules.length).toBeGreaterThan(0);
      await adapter.close();
    }
    const { leastBytes } = estimateExtraction(base, tuned);
    const folder = freshFolder();
    await expect(saveExtractedAdapter(base, tuned, folder, { bytes: leastBytes - 1 })).rejects.toThrow(
      `allow ${leastBytes} or more`,
    );
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
    for (const attempt of [
      saveExtractedAdapter(base, tuned, folder, { bytes: 500 }),
      estimated({ bytes: 500 }),
    ])
      await expect(attempt).rejects.toThrow(
        `without any tensor: allow more; ${leastBytes} are enough whatever changed`,
      );
  });

  test("stores an embedding of tokens so that a tied head follows it", async () => {
    const { "lm_head.weight": _, ...untied } = SHAPES;
    const [one, other] = [await network(3, 1, undefined, untied), await network(4, 1, undefined, untied)];
    const folder = freshFolder();
    const { savedModules } = await saveExtractedAdapter(one, other, folder);
    expect(savedModules).toEqual(["h.0.norm"]);
    const stored = await openCheckpoint(join(folder, "adapter_model.safetensors"));
    expect(stored.tensors.has("base_model.model.wte.weight")).toBe(true);
    await stored.close();
  });

  test("refuses what does not fit, with what to do", async () => {
    const refused = (of: Checkpoint, options: SaveExtractedOptions = {}) =>
      expect(saveExtractedAdapter(base, of, freshFolder(), options)).rejects;
    const { "h.0.mlp.up.weight": _, ...others } = SHAPES;
    await refused(await network(3, 1, undefined, others)).toThrow(
      'it lacks "h.0.mlp.up.weight"; leave it to the base with --exclude "h.0.mlp.up.weight"',
    );
    await refused(await network(3, 1, undefined, { x: [2, 2] })).toThrow("no names in common");
    const wider = { ...SHAPES, "h.0.mlp.up.weight": [21, 12] };
    await refused(await network(3, 1, undefined, wider)).toThrow("they are [21, 12] and [20, 12]");
    await refused(tuned, { rank: 0 }).toThrow("at least 1: it is 0");
    await refused(tuned, { energy: 1.5 }).toThrow("at most 1: it is 1.5");
    await refused(tuned, { rank: 2, bytes: 5 }).toThrow("rank and bytes; give one");
    const tensors = [...base.tensors.keys()].map(async (name) => [name, await base.read(name)] as const);
    const broken = new Map(await Promise.all(tensors));
    broken.set("h.0.norm.bias", createTensor("f32", [12], new Float32Array(12).fill(Number.NaN)));
    await refused(createCheckpoint(broken, {}, "broken")).toThrow('"h.0.norm.bias" has NaN');
  });

  test("refuses another vocabulary, as PEFT cannot load an adapter of another shape", async () => {
    const other = await network(3, 1, undefined, { ...SHAPES, "wte.weight": [11, 12] });
    const refused = saveExtractedAdapter(base, other, freshFolder());
    await expect(refused).rejects.toThrow(MismatchError);
    await expect(refused).rejects.toThrow(
      /"wte.weight" must have the shape .* they are \[11, 12\] and \[9, 12\]; .* one vocabulary first.* --exclude "wte"/,
    );
    const { whole } = await saveExtractedAdapter(base, other, freshFolder(), { exclude: ["wte"] });
    expect(whole).toContain("lm_head.weight");
    expect(whole).not.toContain("wte.weight");
  });

  test.each<readonly [SaveExtractedOptions, string]>([
    [{ exclude: ["*"] }, "--exclude must leave a tensor: its patterns fit all 9"],
    [{ exclude: ["nonsense"] }, '--exclude "nonsense" as it must fit'],
    [{ saveModules: ["c_atn"] }, 'did you mean "c_attn"?'],
    [{ factorModules: ["h.0.norm"] }, "a module whose weight is a matrix"],
    [{ saveModules: ["up"], factorModules: ["up"] }, "as --save-module must not take all that it fits"],
    [{ exclude: ["*.mlp.*"], saveModules: ["up"] }, "as --exclude must not take all that it fits"],
  ])("refuses patterns that choose nothing: %j", async (options, message) => {
    for (const attempt of [saveExtractedAdapter(base, tuned, freshFolder(), options), estimated(options)]) {
      const error = await attempt.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UsageError);
      expect(String(error)).toContain(message);
    }
  });

  test("leaves nothing behind when it refuses, but what was there", async () => {
    const parent = freshFolder();
    const folder = join(parent, "adapter");
    await expect(saveExtractedAdapter(base, base, folder)).rejects.toThrow(/are equal/);
    await expect(saveExtractedAdapter(base, tuned, folder, { memory: 1000 })).rejects.toThrow(
      /Cannot extract an adapter within 1000 bytes of memory .* exclude that weight/,
    );
    await expect(readdir(parent)).rejects.toThrow("ENOENT");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "notes.md"), "kept");
    await expect(saveExtractedAdapter(base, base, folder)).rejects.toThrow(/are equal/);
    expect(await readdir(folder)).toEqual(["notes.md"]);
  });

  test("keeps out of the folder of a model, and replaces an adapter", async () => {
    const folder = freshFolder();
    await mkdir(folder);
    await writeFile(join(folder, "config.json"), "{}");
    const refused = saveExtractedAdapter(base, tuned, folder);
    await expect(refused).rejects.toThrow(
      'must not be the folder of a model, which could no longer be opened as one: it holds "config.json"',
    );
    await writeFile(join(folder, "adapter_config.json"), "{}");
    const { output } = await saveExtractedAdapter(base, tuned, folder, { overwrite: true });
    // Two factors of each of three weights, and norm, embedding, head and two biases.
    expect(output.tensors).toEqual({ merged: 6, copied: 6 });
  });

  test("warns of networks that were trained apart, and estimates no less than is written", async () => {
    const notes: string[] = [];
    // Networks that were trained apart have norms alike.
    const apart = await network(7, 1);
    const norms = createTensor("f32", [12], new Float32Array(12).fill(30));
    const withNorms = async (of: Checkpoint) => {
      const names = [...of.tensors.keys()].map(async (name) => [name, await of.read(name)] as const);
      return createCheckpoint(new Map([...(await Promise.all(names)), ["h.0.norm.weight", norms] as const]));
    };
    const [base, other] = [await withNorms(apart), await withNorms(await network(1, 1))];
    const onNote = (text: string) => notes.push(text);
    const { output } = await saveExtractedAdapter(base, other, freshFolder(), { onNote });
    expect(notes.join()).toContain("as networks that were trained apart are");
    const estimate = estimateExtraction(base, other);
    expect(estimate.modules.length).toBe(3);
    // The header of the file is no tensor.
    expect(estimate.writtenBytes).toBeGreaterThan(output.bytes - 4000);
  });
});

describe("an interrupted extraction", () => {
  test("goes on where it was, and gives the same bytes", async () => {
    const [a, b, whole] = [freshFolder(), freshFolder(), freshFolder()];
    await saveCheckpoint(base, join(a, "model.safetensors"));
    await saveCheckpoint(tuned, join(b, "model.safetensors"));
    const [from, of] = [await openCheckpoint(a), await openCheckpoint(b)];
    await saveExtractedAdapter(from, of, whole, { energy: 0.5 });
    for (const stopAt of ["comparing", "extracting"] as const) {
      const folder = freshFolder();
      const stop = new AbortController();
      const onProgress: SaveExtractedOptions["onProgress"] = ({ phase, done }) => {
        if (phase === stopAt && done > 0.3) stop.abort(new Error("stopped"));
      };
      const stopped = saveExtractedAdapter(from, of, folder, {
        energy: 0.5,
        signal: stop.signal,
        onProgress,
      });
      await expect(stopped).rejects.toThrow("stopped");
      expect((await readdir(folder)).some((name) => name.startsWith(".extract-survey-"))).toBe(true);
      const notes: string[] = [];
      await saveExtractedAdapter(from, of, folder, { energy: 0.5, onNote: (text) => notes.push(text) });
      expect(notes.join()).toMatch(/Going on with the comparison of the networks: \d+ tensors/);
      for (const name of ["adapter_model.safetensors", "adapter_config.json"]) {
        expect(await readFile(join(folder, name))).toEqual(await readFile(join(whole, name)));
      }
      expect(await readdir(folder)).toHaveLength(2);
    }
    await expect(saveExtractedAdapter(from, of, b)).rejects.toThrow("must not be the folder of a network");
    await from.close();
    await of.close();
  });
});

describe("ranks", () => {
  const modules = fc.array(
    fc.array(fc.double({ min: 0.01, max: 9, noNaN: true }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 4 },
  );

  test("for a number of bytes keep most of the squared norm: no other choice keeps more", () =>
    fc.assert(
      fc.property(modules, fc.integer({ min: 10, max: 90 }), (list, bytes) => {
        const ranked = list.map((values, i) => {
          return { values: [...values].sort((a, b) => b - a), name: String(i), squared: 0, bytesPerRank: 10 };
        });
        const sum = (ranks: readonly number[]) => ranks.reduce((a, b) => a + b, 0);
        const kept = (ranks: readonly number[]) =>
          sum(ranked.map(({ values }, i) => Math.hypot(...values.slice(0, ranks[i])) ** 2));
        const ranks = ranksForBytes(ranked, bytes);
        expect(10 * sum(ranks)).toBeLessThanOrEqual(bytes);
        const choices = ranked.reduce<number[][]>(
          (all, { values }) => all.flatMap((one) => [...values, 0].map((_, rank) => [...one, rank])),
          [[]],
        );
        const allowed = choices.filter((one) => 10 * sum(one) <= bytes);
        expect(kept(ranks)).toBeCloseTo(Math.max(...allowed.map(kept)), 8);
      }),
      { numRuns: 50 },
    ));

  test("for a share are the least that have it", () => {
    const values = [3, 2, 1];
    const shares = [0.5, 9 / 14, 0.7, 13 / 14, 0.95, 1];
    expect(shares.map((share) => rankForEnergy({ squared: 14, values }, share))).toEqual([1, 1, 2, 2, 3, 3]);
    expect(rankForEnergy({ squared: 20, values }, 1)).toBe(3);
  });
});
