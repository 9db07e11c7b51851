import { type Checkpoint, createTensor, sizeOf } from "@isthmus/core";
import { compareNetworks, type FindingKind, judgeMerge, type MergeFinding } from "@isthmus/recipe";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkpointOf,
  countReads,
  fineTune,
  mapTensors,
  permuteAxes,
  permuteUnits,
  plantNetwork,
  storeAs,
  type Tensors,
  tensorOf,
} from "./planted-networks.ts";

const seeds = fc.integer({ min: 0, max: 1e6 });
const network = (tensors: Tensors, source: string) => checkpointOf(tensors, source);

async function judge(networks: readonly Checkpoint[], options: Parameters<typeof compareNetworks>[1] = {}) {
  return judgeMerge(await compareNetworks(networks, options));
}

const findingOf = (findings: readonly MergeFinding[], kind: FindingKind) =>
  findings.find((finding) => finding.kind === kind) ?? expect.fail(`no finding ${kind}`);

const kindsOf = (findings: readonly MergeFinding[]) => findings.map(({ kind }) => kind);

/** Puts rows of the embedding in another order, and these of the head with them. */
const permuteTokens = (tensors: Tensors): Tensors => {
  const order = Array.from({ length: 96 }, (_, i) => (i * 41 + 7) % 96);
  const names = ["model.embed_tokens.weight", "lm_head.weight"];
  return {
    ...tensors,
    ...Object.fromEntries(names.map((name) => [name, permuteAxes(tensorOf(tensors, name), [order])])),
  };
};

describe("compareNetworks() and judgeMerge()", () => {
  test("compare a network whose names have a prefix, and the base, under the names of the first", async () => {
    const start = plantNetwork(1);
    const prefixed = Object.fromEntries(
      Object.entries(start).map(([name, tensor]) => [`module.${name}`, tensor]),
    );
    const [first, second] = [network(start, "first"), network(prefixed, "second")];
    expect(await judge([first, second])).toMatchObject({ verdict: "identical" });
    const { pairs } = await compareNetworks([first, network(fineTune(start, 2), "tuned")], { base: second });
    expect(pairs.map(({ identical }) => identical)).toEqual([false, true, false]);
  });

  test("call a network and itself identical, its fine-tunes relatives, others strangers", () =>
    fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const start = plantNetwork(seed);
        const base = network(start, "base");
        expect(await judge([base, network(start, "copy")])).toMatchObject({
          verdict: "identical",
          confidence: 1,
        });
        const tuned = network(fineTune(start, seed), "tuned");
        const kin = await judge([base, tuned]);
        expect(kin).toMatchObject({ verdict: "same ancestor", findings: [] });
        expect(kin.confidence).toBeGreaterThan(0.9);
        const other = await judge([base, network(plantNetwork(seed + 1), "other")]);
        expect(other.verdict).toBe("different seed");
        expect(other.confidence).toBeGreaterThan(0.8);
        expect(findingOf(other.findings, "different-seed").advice).toMatch(/--align/);
      }),
      { numRuns: 20 },
    ));

  test("recognise a copy with its units in another order, in a narrower type, too", () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom("f32" as const, "f16" as const), async (seed, dtype) => {
        const start = plantNetwork(seed);
        const copy = network(storeAs(permuteUnits(start, seed), dtype), "copy");
        const { verdict, findings } = await judge([network(start, "base"), copy]);
        expect(verdict).toBe("permuted copy");
        expect(findingOf(findings, "permuted-copy")).toMatchObject({ severity: "error", networks: [0, 1] });
      }),
      { numRuns: 20 },
    ));

  test("say which networks are of one family, where there are several", async () => {
    const [one, two] = [plantNetwork(30), plantNetwork(31)];
    const networks = [one, two, fineTune(one, 1), fineTune(two, 1), fineTune(one, 2)];
    const { findings } = await judge(networks.map((tensors, i) => network(tensors, `n${i + 1}`)));
    expect(findingOf(findings, "different-seed").message).toMatch(
      /^2 families .*: network 1 \("n1"\), network 3 \("n3"\) and network 5 \("n5"\); network 2 \("n2"\) and network 4/,
    );
  });

  test("recognise a copy in which only the units of one layer moved", async () => {
    const start = plantNetwork(1);
    const order = Array.from({ length: 64 }, (_, i) => (i * 13 + 5) % 64);
    const moved = {
      ...start,
      "layers.0.up.weight": permuteAxes(tensorOf(start, "layers.0.up.weight"), [order]),
      "layers.0.down.weight": permuteAxes(tensorOf(start, "layers.0.down.weight"), [undefined, order]),
    };
    const comparison = await compareNetworks([network(start, "a"), network(moved, "b")]);
    expect(comparison.pairs[0]?.kinship).toBeCloseTo(1);
    expect(judgeMerge(comparison).verdict).toBe("permuted copy");
  });

  test("search moved rows no further once too few have partners for a copy", async () => {
    const [one, other] = [plantNetwork(40), plantNetwork(41)].map((tensors, i) =>
      countReads(checkpointOf(tensors, `n${i}`)),
    );
    if (one === undefined || other === undefined) return expect.fail();
    const whole = await compareNetworks([one.network, other.network], { search: 0 });
    const read = one.read();
    const { pairs } = await compareNetworks([one.network, other.network]);
    const smallest = Math.min(
      ...whole.pairs
        .flatMap(({ tensors }) => tensors.map(({ name }) => sizeOf(tensorOf(plantNetwork(40), name).shape)))
        .filter((size) => size >= 16 * 16),
    );
    expect(pairs[0]?.moved).toMatchObject({ share: 0, tensors: { length: 1 } });
    expect(one.read() - 2 * read).toBe(smallest);
    expect(judgeMerge({ ...whole, pairs }).verdict).toBe("different seed");
  });

  test("judge the same in whatever order networks come", () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 2 }), async (seed, chosen) => {
        const start = plantNetwork(seed);
        const all = [start, fineTune(start, 1), permuteUnits(start, 2), plantNetwork(seed + 1)];
        const networks = all.map((tensors, i) => network(tensors, `n${i}`));
        const pick = (order: readonly number[]) => order.map((i) => networks[i] ?? expect.fail());
        const one = await judge(pick(chosen));
        const two = await judge(pick([...chosen].reverse()));
        expect(two).toMatchObject({ verdict: one.verdict, confidence: one.confidence });
        expect(kindsOf(two.findings).sort()).toEqual(kindsOf(one.findings).sort());
        const last = chosen.length - 1;
        for (const { a, b, verdict, confidence } of one.pairs)
          expect(two.pairs).toContainEqual(
            expect.objectContaining({ a: last - b, b: last - a, verdict, confidence }),
          );
      }),
      { numRuns: 20 },
    ));

  test("come to the same verdict from a sample, and read no more than that", async () => {
    const start = plantNetwork(3);
    const cases = [
      [fineTune(start, 4), "same ancestor"],
      [plantNetwork(5), "different seed"],
    ] as const;
    for (const [other, verdict] of cases) {
      const [a, b] = [countReads(network(start, "a")), countReads(network(other, "b"))];
      const comparison = await compareNetworks([a.network, b.network], { sample: 4000, search: 0 });
      expect(comparison.sampled).toBeLessThan(0.5);
      expect(judgeMerge(comparison).verdict).toBe(verdict);
      // Besides the sample, embedding and head are read to find out whether they are one.
      expect(a.read()).toBeLessThanOrEqual(4000 + 2 * 96 * 24);
      expect(b.read()).toBe(a.read());
    }
  });

  test("say that a token vocabulary is in another order", async () => {
    const start = plantNetwork(6);
    const { verdict, findings } = await judge([
      network(start, "a"),
      network(permuteTokens(fineTune(start, 1)), "b"),
    ]);
    expect(verdict).toBe("same ancestor");
    const { severity, message, advice } = findingOf(findings, "vocabulary-order");
    expect(severity).toBe("error");
    expect(message).toMatch(/(9\d|100) % of sampled rows are in another place/);
    expect(advice).toMatch(/tokenizer: \{ source: union \}/);
  });

  test("say that vocabularies have different sizes, and still call networks relatives", async () => {
    const start = plantNetwork(7);
    const grown = (name: string) => {
      const data = new Float32Array(98 * 24).fill(0.01);
      data.set(tensorOf(start, name).data as Float32Array);
      return createTensor("f32", [98, 24], data);
    };
    const larger = {
      ...fineTune(start, 1),
      "model.embed_tokens.weight": grown("model.embed_tokens.weight"),
      "lm_head.weight": grown("lm_head.weight"),
    };
    const { verdict, findings } = await judge([network(start, "a"), network(larger, "b")]);
    expect(verdict).toBe("same ancestor");
    expect(kindsOf(findings)).toEqual(["vocabulary-size"]);
    expect(findings[0]?.message).toMatch(/96 and 98 rows/);
  });

  test("find tensors that differ in name, shape and type", async () => {
    const start = plantNetwork(8);
    const { "norm.weight": _, ...lacking } = fineTune(start, 1);
    const other = {
      ...storeAs(lacking, "bf16"),
      "layers.0.up.bias": createTensor("f32", [65], new Float32Array(65)),
      extra: createTensor("f32", [1], new Float32Array(1)),
    };
    const { verdict, findings } = await judge([network(start, "a"), network(other, "b")]);
    expect(verdict).toBe("same ancestor");
    expect(findingOf(findings, "names").message).toMatch(/"norm.weight".*"extra"/);
    expect(findingOf(findings, "shapes").message).toMatch(/"layers.0.up.bias" is \[64\] and \[65\]/);
    expect(findingOf(findings, "dtypes").message).toMatch(/7 tensors .* is f32 and bf16/);
  });

  test("call networks of other names another architecture", async () => {
    const renamed = Object.fromEntries(Object.entries(plantNetwork(9)).map(([name, x]) => [`x.${name}y`, x]));
    const { verdict, confidence } = await judge([network(plantNetwork(9), "a"), network(renamed, "b")]);
    expect({ verdict, confidence }).toEqual({ verdict: "different architecture", confidence: 1 });
  });

  test("find weights that are packed, rounded to few values, or floats of 8 bits", async () => {
    const start = plantNetwork(10);
    const codes = { ...start, "layers.0.up.qweight": createTensor("i32", [8, 64], new Int32Array(512)) };
    const packed = await judge([network(start, "a"), network(codes, "b")]);
    expect(findingOf(packed.findings, "quantized")).toMatchObject({ severity: "error", networks: [1] });

    const wide = mapTensors(
      { w: createTensor("f32", [8, 2048], new Float32Array(8 * 2048)), ...start },
      (data, name) => (name === "w" ? data.map((_, i) => Math.sin(i * i) * 0.1) : data),
    );
    const levels = mapTensors(wide, (data, name) =>
      name === "norm.weight" ? data : data.map((x) => Math.round(x * 40) / 40),
    );
    const rounded = await judge([network(wide, "a"), network(levels, "b")]);
    expect(findingOf(rounded.findings, "coarse").networks).toEqual([1]);

    const bytes = await judge([network(start, "a"), network(storeAs(start, "f8e4m3"), "b")]);
    expect(findingOf(bytes.findings, "eight-bit-floats").advice).toMatch(/--dtype bf16/);
    expect(bytes.verdict).toBe("same ancestor");
  });

  test("find adapters among networks, and adapters alone", async () => {
    const adapter = (seed: number) => ({
      "base.up.lora_A.weight": tensorOf(plantNetwork(seed), "layers.0.up.weight"),
      "base.up.lora_B.weight": tensorOf(plantNetwork(seed), "layers.0.down.weight"),
    });
    const alone = await judge([network(adapter(1), "a"), network(adapter(2), "b")]);
    expect(findingOf(alone.findings, "adapter")).toMatchObject({ severity: "warning", networks: [0, 1] });
    const mixed = await judge([network(plantNetwork(1), "a"), network(adapter(2), "b")]);
    expect(findingOf(mixed.findings, "adapter")).toMatchObject({ severity: "error", networks: [1] });
  });

  test("find NaN, a constant offset, other norms, an equal network and layers of another network", async () => {
    const start = plantNetwork(11);
    const spoilt = mapTensors(start, (data, name) =>
      name === "norm.weight" ? data.map((x, i) => (i === 3 ? Number.NaN : x)) : data,
    );
    const damaged = await judge([network(start, "a"), network(spoilt, "b")]);
    expect(findingOf(damaged.findings, "non-finite")).toMatchObject({ severity: "error", networks: [1] });
    expect(damaged.verdict).toBe("same ancestor");

    const raised = await judge([
      network(start, "a"),
      network(
        mapTensors(start, (data) => data.map((x) => x + 0.25)),
        "b",
      ),
    ]);
    expect(findingOf(raised.findings, "constant-offset").message).toMatch(/and 0\.25$/);

    const longer = await judge([
      network(start, "a"),
      network(
        mapTensors(start, (data) => data.map((x) => 3 * x)),
        "b",
      ),
    ]);
    expect(findingOf(longer.findings, "norms").message).toMatch(/3\.0 times as long/);

    const equal = await judge([network(start, "a"), network(fineTune(start, 1), "b"), network(start, "c")]);
    expect(findingOf(equal.findings, "identical").networks).toEqual([0, 2]);

    const head = { ...fineTune(start, 2), "lm_head.weight": tensorOf(plantNetwork(12), "lm_head.weight") };
    const reset = await judge([network(start, "a"), network(head, "b")]);
    expect(findingOf(reset.findings, "layers-unrelated").message).toMatch(/1 tensor .*"lm_head.weight"/);
  });

  test("find tied weights that are tied in some networks only, or not as the config says", async () => {
    const start = plantNetwork(13);
    const tied = { ...start, "lm_head.weight": tensorOf(start, "model.embed_tokens.weight") };
    const { findings } = await judge([network(tied, "a"), network(fineTune(start, 1), "b")]);
    expect(findingOf(findings, "tied-weights").networks).toEqual([0, 1]);
    const facts = { modelType: "llama", tied: true, quantization: null, chat: false, adapter: false };
    const untied = await judge([network(start, "a"), network(fineTune(start, 1), "b")], {
      facts: [null, facts],
    });
    expect(findingOf(untied.findings, "tied-weights")).toMatchObject({ networks: [1] });
  });

  test("use what files say: model types, chats, quantisation", async () => {
    const start = plantNetwork(14);
    const facts = { modelType: "llama", tied: null, quantization: null, chat: false, adapter: false };
    const others = { ...facts, modelType: "qwen3", quantization: "fp8", chat: true };
    const networks = [network(start, "a"), network(fineTune(start, 1), "b")];
    const { findings } = await judge(networks, { facts: [facts, others] });
    expect(kindsOf(findings).sort()).toEqual(["chat", "model-types", "quantized"]);
    expect(kindsOf((await judge(networks, { facts: [facts, facts] })).findings)).toEqual([]);
  });
});

describe("compareNetworks() with a base", () => {
  const start = plantNetwork(20);
  const tuned = [1, 2].map((seed) => network(fineTune(start, seed), `tuned ${seed}`));

  test("measures steps and their angles", async () => {
    const { taskVectors } = await compareNetworks(tuned, { base: network(start, "base") });
    expect(taskVectors).toMatchObject({ base: 2, guessed: false, networks: [0, 1] });
    expect(taskVectors?.cosines[0]?.[1]).toBeCloseTo(0, 1);
    expect(taskVectors?.lengths[0]).toBeCloseTo(taskVectors?.lengths[1] ?? Number.NaN, 2);
  });

  test("finds the base among the networks, and says what it is good for", async () => {
    const comparison = await compareNetworks([
      tuned[0] as Checkpoint,
      network(start, "base"),
      tuned[1] as Checkpoint,
    ]);
    expect(comparison.taskVectors).toMatchObject({ base: 1, guessed: true });
    const { findings } = judgeMerge(comparison, { method: "linear" });
    expect(findingOf(findings, "base-recognised").advice).toMatch(/base_model/);
  });

  test("says that steps are opposed, and that a base is no relative", async () => {
    const away = (sign: number) =>
      mapTensors(start, (data, name) => data.map((x, i) => x + sign * 0.02 * Math.sin(i * i + name.length)));
    const opposed = await judge([network(away(1), "a"), network(away(-1), "b")], {
      base: network(start, "base"),
    });
    expect(findingOf(opposed.findings, "opposed-steps").message).toMatch(/cosine -1\.00/);
    const { verdict, findings } = await judge(tuned, { base: network(plantNetwork(21), "other") });
    expect(verdict).toBe("same ancestor");
    expect(findingOf(findings, "base-unrelated")).toMatchObject({ severity: "error", networks: [0, 1, 2] });
  });
});
