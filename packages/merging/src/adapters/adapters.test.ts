import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  type DType,
  fromFloat64Into,
  isIsthmusError,
  openCheckpoint,
  toFloat64,
} from "@isthmus/core";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { merge } from "../merge.ts";
import type { MergeMethod } from "../merge-method.ts";
import { linear } from "../methods/linear.ts";
import { tsvM } from "../methods/tsv-m.ts";
import { type Adapter, createAdapter } from "./adapter.ts";
import { compileModulePattern, parseAdapterConfig } from "./adapter-config.ts";
import { applyAdapter } from "./apply-adapter.ts";
import { extractAdapter } from "./extract-adapter.ts";
import { type MergeAdaptersOptions, mergeAdapters } from "./merge-adapters.ts";
import { openAdapter } from "./open-adapter.ts";
import { saveAdapter } from "./save-adapter.ts";

const golden = (name: string) =>
  fileURLToPath(new URL(`../../test/golden/adapters/${name}`, import.meta.url));
const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(opened.map((file) => file.close()));
});
const keep = <T extends { close(): Promise<void> }>(file: T): T => {
  opened.push(file);
  return file;
};
const network = async (name: string) => keep(await openCheckpoint(golden(`${name}.safetensors`)));
const adapter = async (name: string) => keep(await openAdapter(golden(name)));
const config = (settings: Record<string, unknown> = {}) =>
  parseAdapterConfig({ peft_type: "LORA", r: 2, lora_alpha: 2, ...settings }, "test");

async function expectNear(actual: Checkpoint, expected: Checkpoint, tolerance: number) {
  expect([...actual.tensors.keys()].sort()).toEqual([...expected.tensors.keys()].sort());
  for (const [name, { dtype, shape }] of expected.tensors) {
    expect(actual.tensors.get(name)?.shape).toEqual(shape);
    const [x, y] = [await actual.read(name), await expected.read(name)];
    const [a, b] = [toFloat64(x.data, x.dtype), toFloat64(y.data, dtype)];
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    expect(worst, name).toBeLessThan(tolerance);
  }
}

// PEFT and we sum in another order: rounding of f32 for numbers up to about 10.
const ROUNDING = 4e-6;

describe("adapters of PEFT", () => {
  test.each(["plain", "stabilized", "patterns", "dora", "biases", "small", "gpt2"])(
    "%s is applied as by merge_and_unload",
    async (name) => {
      const applied = applyAdapter(await network(name === "gpt2" ? "gpt" : "base"), await adapter(name));
      await expectNear(applied, await network(`merged/${name}`), ROUNDING);
    },
  );

  const combinations: readonly [string, readonly string[], MergeAdaptersOptions][] = [
    ["linear", ["plain", "stabilized"], { combination: "linear", weights: [0.7, -0.4] }],
    ["linear_partial", ["plain", "small"], { combination: "linear", weights: [1, 0.5] }],
    ["cat", ["plain", "stabilized"], { combination: "cat", weights: [0.7, -0.4] }],
    ["svd", ["plain", "stabilized"], { combination: "svd", weights: [0.7, 0.4] }],
    ["svd_3", ["plain", "stabilized"], { combination: "svd", weights: [0.7, -0.4], rank: 3 }],
    ["ties", ["plain", "stabilized"], { combination: "ties", weights: [0.7, 0.4], density: 0.5 }],
  ];
  test.each(combinations)("are merged by %s as by add_weighted_adapter", async (name, names, options) => {
    const merged = mergeAdapters(await Promise.all(names.map(adapter)), options);
    await expectNear(applyAdapter(await network("base"), merged), await network(`merged/${name}`), ROUNDING);
  });

  test("are the same after they were saved and opened", async () => {
    const folder = await mkdtemp(join(tmpdir(), "adapter-"));
    const merged = mergeAdapters([await adapter("plain"), await adapter("patterns")], { combination: "cat" });
    await saveAdapter(merged, join(folder, "sum"));
    const saved = await openAdapter(join(folder, "sum"));
    const base = await network("base");
    await expectNear(applyAdapter(base, saved), applyAdapter(base, merged), 1e-12);
    const settings = JSON.parse(await readFile(join(folder, "sum", "adapter_config.json"), "utf8"));
    expect(settings).toMatchObject({
      peft_type: "LORA",
      modules_to_save: ["head"],
      alpha_pattern: settings.rank_pattern,
    });
    await expect(saveAdapter(merged, join(folder, "sum"))).rejects.toThrow(/sum/);
    await saved.close();
    await rm(folder, { recursive: true });
  });
});

describe("applyAdapter", () => {
  test("gives the same bits however a tensor is read", async () => {
    const applied = applyAdapter(await network("base"), await adapter("dora"));
    const name = "layers.0.up.weight";
    const whole = [...(await applied.read(name)).data];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 54 }), fc.integer({ min: 0, max: 54 }), async (x, y) => {
        const [begin, end] = [Math.min(x, y), Math.max(x, y)];
        expect([...(await applied.readRange(name, begin, end))]).toEqual(whole.slice(begin, end));
      }),
    );
  });

  test("in part goes part of the way, for replaced tensors too", async () => {
    const base = await network("base");
    const patterns = await adapter("patterns");
    const full = applyAdapter(base, patterns);
    const half = merge([base, full], { method: linear });
    await expectNear(applyAdapter(base, patterns, { weight: 0.5 }), half, 1e-6);
    await expectNear(applyAdapter(base, patterns, { weight: 0 }), base, 1e-12);
    const dora = applyAdapter(base, await adapter("dora"), { weight: 0.5 });
    await expect(dora.read("conv.weight")).rejects.toThrow("its weight must be 1, it is 0.5");
  });

  test("finds weights without the prefix of a model, and says what is missing", async () => {
    const base = await network("base");
    const plain = await adapter("plain");
    const renamed = (rename: (name: string) => string) =>
      Promise.all(
        [...base.tensors.keys()].map(async (name) => [rename(name), await base.read(name)] as const),
      ).then((tensors) => createCheckpoint(new Map(tensors), {}, "renamed"));
    const prefixed = applyAdapter(await renamed((name) => `model.${name}`), plain);
    expect((await prefixed.read("model.conv.weight")).data).toEqual(
      (await applyAdapter(base, plain).read("conv.weight")).data,
    );
    const other = await renamed((name) => name.replace("up", "gate"));
    expect(() => applyAdapter(other, plain)).toThrow(
      /Cannot apply adapter .* to "renamed" as it changes "layers.0.up.weight", which must be there: there is none/,
    );
    expect(() =>
      applyAdapter(
        createCheckpoint({ "c_attn.weight": createTensor("f32", [8, 6], new Float32Array(48)) }),
        gpt2,
      ),
    ).toThrow('its change of "c_attn.weight" is 5 x 8: the weight is [8, 6]');
  });
});

const gpt2 = await adapter("gpt2");

describe("settings", () => {
  test("that change what weights mean are refused", () => {
    expect(() => parseAdapterConfig({ peft_type: "IA3" }, "x")).toThrow('its "peft_type" is "IA3"');
    expect(() => config({ use_qalora: true })).toThrow('"use_qalora" changes what its weights mean');
    expect(() => config({ target_parameters: ["experts"] })).toThrow("target_parameters");
    expect(config({ target_parameters: [] }).rank).toBe(2);
  });

  test("that are damaged are named", () => {
    expect(() => config({ r: "two" })).toThrow('"r" must be a number: it is "two"');
    expect(() => parseAdapterConfig([], "x")).toThrow("must hold an object");
    expect(() => config({ alpha_pattern: { q: null } })).toThrow('"q" must be a number');
  });

  test("of any content are read or refused by an error of ours", () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (r, alpha, pattern) => {
        try {
          const { rank } = config({ r, lora_alpha: alpha, alpha_pattern: pattern });
          expect(rank).toBe(r);
        } catch (error) {
          expect(isIsthmusError(error)).toBe(true);
        }
      }),
    ));

  test("patterns fit the ends of names after a dot", () => {
    const fitsModule = (pattern: string, module: string) => compileModulePattern(pattern)(module);
    expect(fitsModule("q_proj", "layers.0.q_proj")).toBe(true);
    expect(fitsModule("proj", "layers.0.q_proj")).toBe(false);
    expect(fitsModule(String.raw`layers\.\d\.(q|k)_proj`, "model.layers.0.k_proj")).toBe(true);
    expect(fitsModule("^layers.0", "model.layers.0")).toBe(false);
    expect(fitsModule("(a+)+b", `x.${"a".repeat(5000)}`)).toBe(false);
    expect(fitsModule(String.raw`layers\.(\d+\.)?(q|k)_proj`, "model.layers.0.k_proj")).toBe(true);
    expect(() => fitsModule("(", "aaaa")).toThrow("missing closing )");
  });
});

describe("createAdapter", () => {
  const matrix = (...shape: number[]) =>
    createTensor("f32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));

  test("refuses matrices that do not fit each other, and unknown variants", () => {
    const make = (tensors: Parameters<typeof createCheckpoint>[0]) =>
      createAdapter("x", createCheckpoint(tensors), config());
    expect(() => make({})).toThrow("it must hold at least one tensor: it is empty");
    expect(() => make({ "base_model.model.q.lora_A.weight": matrix(2, 3) })).toThrow(
      'module "q" must have both',
    );
    expect(() =>
      make({
        "base_model.model.q.lora_A.weight": matrix(2, 3),
        "base_model.model.q.lora_B.weight": matrix(4, 3),
      }),
    ).toThrow('the matrices of "q" must be [rank, in] and [out, rank]: they are [2,3] and [4,3]');
    expect(() => make({ "base_model.model.q.lora_E": matrix(2, 1) })).toThrow(
      "variant of LoRA that is not handled",
    );
  });
});

const numbers = (count: number, seed: number) => {
  const { normal } = createRandom(seed, "numbers");
  return Float64Array.from({ length: count }, normal);
};
const stored = (dtype: DType, shape: readonly number[], values: Float64Array) =>
  createTensor(dtype, shape, fromFloat64Into(values, dtype, allocateData(dtype, values.length)));

/** A random adapter of one module, `[out, in]`. */
function randomAdapter(
  seed: number,
  { rank, out, from }: { rank: number; out: number; from: number },
): Adapter {
  const checkpoint = createCheckpoint({
    "base_model.model.q.lora_A.weight": stored("f32", [rank, from], numbers(rank * from, seed)),
    "base_model.model.q.lora_B.weight": stored("f32", [out, rank], numbers(out * rank, seed + 1000)),
  });
  return createAdapter(`random ${seed}`, checkpoint, config({ r: rank, lora_alpha: 1.5 * rank }));
}
const zeros = (out: number, from: number) =>
  createCheckpoint({ "q.weight": createTensor("f64", [out, from], new Float64Array(out * from)) });

describe("mergeAdapters", () => {
  const sizes = fc.record({
    rank: fc.integer({ min: 1, max: 4 }),
    out: fc.integer({ min: 2, max: 14 }),
    from: fc.integer({ min: 2, max: 14 }),
    seed: fc.nat(999),
  });

  test.each(["cat", "core"] as const)("by %s loses nothing of the sum", (combination) =>
    fc.assert(
      fc.asyncProperty(sizes, async ({ seed, ...size }) => {
        const adapters = [0, 1, 2].map((i) =>
          randomAdapter(seed + i, { ...size, rank: size.rank + (i % 2) }),
        );
        const weights = [1, -0.5, 2];
        const sum = (method: MergeMethod): MergeAdaptersOptions =>
          combination === "cat" ? { combination, weights } : { combination, weights, rule: { method } };
        const base = zeros(size.out, size.from);
        const merged = mergeAdapters(adapters, sum(linear as unknown as MergeMethod));
        const result = (await applyAdapter(base, merged).read("q.weight")).data as Float64Array;
        const deltas = await Promise.all(
          adapters.map(
            async (one, i) => (await applyAdapter(base, one, { weight: weights[i]! }).read("q.weight")).data,
          ),
        );
        // The rule of core space is the mean, that of cat the sum.
        const divisor = combination === "cat" ? 1 : 3;
        result.forEach((value, i) => {
          const expected = deltas.reduce((total, delta) => total + Number(delta[i]), 0) / divisor;
          expect(Math.abs(value - expected)).toBeLessThan(5e-5);
        });
      }),
      { numRuns: 40 },
    ),
  );

  test("in core space is a merge of weights by TSV-M, which does not depend on coordinates", async () => {
    const [out, from] = [12, 12];
    // Together as many directions as there are, so that both keep as many of each.
    const adapters = [1, 2, 3].map((seed) => randomAdapter(seed, { rank: 4, out, from }));
    const method = tsvM as unknown as MergeMethod;
    const base = zeros(out, from);
    const inCore = applyAdapter(base, mergeAdapters(adapters, { combination: "core", rule: { method } }));
    const inFull = merge(
      adapters.map((one) => applyAdapter(base, one)),
      { method, base },
    );
    await expectNear(inCore, inFull, 2e-4);
  });

  test("refuses adapters that do not fit, with what to do", async () => {
    const [a, b] = [
      randomAdapter(1, { rank: 2, out: 5, from: 5 }),
      randomAdapter(2, { rank: 3, out: 5, from: 5 }),
    ];
    expect(() => mergeAdapters([a, b], { combination: "linear" })).toThrow('merge by "cat" or "svd"');
    expect(() => mergeAdapters([a, b], { combination: "svd", rank: 1.5 })).toThrow("whole number");
    expect(() => mergeAdapters([a], { combination: "ties", density: 2 })).toThrow("in [0, 1]: it is 2");
    const other = randomAdapter(2, { rank: 3, out: 5, from: 6 });
    expect(() => mergeAdapters([a, other], { combination: "cat" })).toThrow("they are 5 x 5 and 5 x 6");
    expect(() => mergeAdapters([], { combination: "cat" })).toThrow("there is none");
    expect(() => mergeAdapters([a], { combination: "core" })).toThrow('it needs a "rule"');
    expect(() => mergeAdapters([a], { combination: "dare" as "cat" })).toThrow(
      "known are linear, svd, cat, ties, ties_svd",
    );
    expect(() => mergeAdapters([a], { combination: "cat", weights: [1, 2] })).toThrow("there are 2");
    const dora = await adapter("dora");
    expect(() => mergeAdapters([dora, dora], { combination: "cat" })).toThrow("lengths of rows (DoRA)");
    const patterns = await adapter("patterns");
    expect(() => mergeAdapters([patterns, patterns], { combination: "cat" })).toThrow(
      'both replace "head.bias"',
    );
  });
});

describe("extractAdapter", () => {
  test.each([
    [10, 8, "f32"],
    [90, 80, "f32"],
    [90, 80, "bf16"],
  ] as const)("finds an adapter again that was applied, %i x %i in %s", async (out, from, dtype) => {
    const hidden = randomAdapter(3, { rank: 2, out, from });
    const base = createCheckpoint({
      "q.weight": stored(dtype, [out, from], numbers(out * from, 4)),
      "embed.weight": stored(dtype, [7, 3], numbers(21, 5)),
      "norm.weight": stored(dtype, [3], numbers(3, 6)),
    });
    const network = applyAdapter(base, hidden);
    const { adapter: extracted, leftOut } = extractAdapter(network, base, { rank: 2 });
    expect(leftOut).toEqual(["norm.weight"]);
    expect([...extracted.modules.values()].map(({ kind, rank }) => [kind, rank])).toEqual([
      ["linear", 2],
      ["embedding", 2],
    ]);
    // bf16 keeps 8 bits of numbers up to about 16.
    await expectNear(applyAdapter(base, extracted), network, dtype === "bf16" ? 0.15 : 2e-5);
  });

  test("takes what is asked for, and says when that is nothing", () => {
    const base = zeros(4, 4);
    expect(() => extractAdapter(base, base, { rank: 2, exclude: ["q.*"] })).toThrow("there are none");
    expect(() => extractAdapter(base, base, { rank: 0 })).toThrow(
      /"rank" must be a whole number of at least 1/,
    );
    expect(() => extractAdapter(base, zeros(4, 5), { rank: 2 })).toThrow("[4, 4] and [4, 5]");
    expect(extractAdapter(base, base, { rank: 9 }).adapter.modules.get("q")?.rank).toBe(4);
  });
});
