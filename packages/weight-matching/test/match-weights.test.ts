import { readFileSync } from "node:fs";
import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  type DType,
  sizeOf,
  type Tensor,
  toFloat64,
  viewBytes,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { decodeGraph, type Graph, randomWeights, shareSessions } from "@isthmus/graph";
import {
  type Alignment,
  identityAlignment,
  permute,
  randomAlignment,
  type SymmetrySpec,
} from "@isthmus/symmetry";
import {
  MATCH_WEIGHTS_DEFAULTS,
  type MatchProgress,
  type MatchWeightsOptions,
  matchWeights,
} from "@isthmus/weight-matching";
import { afterAll, describe, expect, test } from "vitest";
import { type NetworkCase, networkCase, networkCases } from "../../../test/helpers/network-cases.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import {
  bareAttention,
  outerProduct,
  smallCnn,
  smallMlp,
  smallRecurrent,
  smallTransformer,
} from "../../../test/helpers/small-networks.ts";

// Every matching loads the same few graphs.
const engine = shareSessions(createOnnxRuntimeEngine());
afterAll(() => engine.close());

const graphs = [
  smallMlp(),
  smallCnn(),
  smallTransformer(),
  smallRecurrent(),
  outerProduct(false),
  outerProduct(true),
];
const cases = await networkCases(graphs);
const [mlp, cnn, transformer] = cases as [NetworkCase, NetworkCase, NetworkCase];
const attention = await networkCase(bareAttention());

const network = ({ graph }: NetworkCase, seed: number): Checkpoint => randomNetwork(graph, seed);

/** The inner product of A and permuted B over parameters that can move, tensor by tensor. */
async function plainObjective(
  spec: SymmetrySpec,
  [a, b]: readonly [Checkpoint, Checkpoint],
  alignment: Alignment = identityAlignment(spec),
): Promise<number> {
  const moved = permute(alignment, b, spec);
  let sum = 0;
  for (const [name, { role, fields }] of spec.weights) {
    if (role === "statistic" || fields.length === 0) continue;
    const [left, right] = [await a.read(name), await moved.read(name)];
    const values = toFloat64(right.data, right.dtype);
    toFloat64(left.data, left.dtype).forEach((value, i) => {
      sum += value * values[i]!;
    });
  }
  return sum;
}

/** Compares bytes at once: the matcher's own comparison takes seconds for a million elements. */
async function expectEqual(a: Checkpoint, b: Checkpoint): Promise<void> {
  for (const name of a.tensors.keys()) {
    const [left, right] = [(await a.read(name)).data, (await b.read(name)).data].map(viewBytes);
    expect(Buffer.compare(left!, right!), name).toBe(0);
  }
}

function converted(checkpoint: ReadonlyMap<string, Tensor>, dtype: DType): Checkpoint {
  const entries = [...checkpoint].map(([name, tensor]): [string, Tensor] => [
    name,
    { dtype, shape: tensor.shape, data: convertData(tensor.data, tensor.dtype, dtype) },
  ]);
  return createCheckpoint(new Map(entries));
}

describe("matchWeights() of a permuted copy", () => {
  test.each(cases)("$name: finds the permutation, 20 times of 20", async (own) => {
    for (let seed = 0; seed < 20; seed++) {
      const a = network(own, seed);
      const shuffled = permute(randomAlignment(own.spec, seed), a, own.spec);
      const graph = seed % 2 === 0 ? own.graph : undefined;
      const result = await matchWeights({ spec: own.spec, graph, engine }, [a, shuffled], { seed });
      await expectEqual(a, permute(result.alignment, shuffled, own.spec));
      expect(result.objective.after).toBeCloseTo(await plainObjective(own.spec, [a, a]), 8);
      expect(result.restarts.length).toBeLessThanOrEqual(MATCH_WEIGHTS_DEFAULTS.restarts);
    }
  });

  test.each(["mnist-mlp", "fmnist-cnn", "fmnist-vit"])("%s: finds the permutation", async (name) => {
    const bytes = readFileSync(new URL(`../../../test/fixtures/${name}/graph.onnx`, import.meta.url));
    const own = await networkCase(decodeGraph(bytes).graph);
    const a = network(own, 1);
    const shuffled = permute(randomAlignment(own.spec, 2), a, own.spec);
    const result = await matchWeights({ spec: own.spec, graph: undefined, engine }, [a, shuffled], {
      seed: 3,
      restarts: 2,
    });
    await expectEqual(a, permute(result.alignment, shuffled, own.spec));
  });

  test("finds it among noise", async () => {
    for (const own of cases) {
      const a = network(own, 1);
      const planted = randomAlignment(own.spec, 2);
      const shuffled = permute(planted, a, own.spec);
      const noise = randomWeights(own.graph, 5);
      const noisy = new Map<string, Tensor>();
      for (const name of a.tensors.keys()) {
        const tensor = await shuffled.read(name);
        const other = noise.get(name)?.data as Float32Array;
        const data = (tensor.data as Float32Array).map((value, i) => 0.9 * value + 0.1 * other[i]!);
        noisy.set(name, { ...tensor, data });
      }
      const { alignment } = await matchWeights(
        { spec: own.spec, graph: undefined, engine },
        [a, createCheckpoint(noisy)],
        { seed: 1 },
      );
      await expectEqual(a, permute(alignment, shuffled, own.spec));
    }
  });

  test("finds it without an engine, too", async () => {
    for (const own of cases) {
      const [a, planted] = [network(own, 3), randomAlignment(own.spec, 4)];
      const shuffled = permute(planted, a, own.spec);
      const results = await Promise.all(
        [undefined, engine].map((by) =>
          matchWeights({ spec: own.spec, graph: undefined, engine: by }, [a, shuffled], { seed: 1 }),
        ),
      );
      expect(results[0]?.alignment).toEqual(results[1]?.alignment);
    }
  });

  test.each<DType>(["f64", "f16", "bf16"])("finds it in checkpoints of %s", async (dtype) => {
    for (const own of [mlp, cnn, transformer]) {
      const a = converted(randomWeights(own.graph, 1), dtype);
      const shuffled = permute(randomAlignment(own.spec, 2), a, own.spec);
      const { alignment, objective } = await matchWeights(
        { spec: own.spec, graph: undefined, engine },
        [a, shuffled],
        { seed: 1 },
      );
      await expectEqual(a, permute(alignment, shuffled, own.spec));
      expect(objective.after).toBeCloseTo(await plainObjective(own.spec, [a, a]), 4);
    }
  });

  test("matches checkpoints of different types", async () => {
    const weights = randomWeights(mlp.graph, 1);
    const [a, half] = [createCheckpoint(weights), converted(weights, "bf16")];
    const shuffled = permute(randomAlignment(mlp.spec, 2), half, mlp.spec);
    const { alignment } = await matchWeights({ spec: mlp.spec, graph: undefined, engine }, [a, shuffled], {
      seed: 1,
    });
    await expectEqual(half, permute(alignment, shuffled, mlp.spec));
  });
});

describe("matchWeights() of independent networks", () => {
  test.each(cases)("$name: reports the objective that its alignment has", async ({ spec, ...own }) => {
    for (let seed = 0; seed < 5; seed++) {
      const pair = [network({ spec, ...own }, seed), network({ spec, ...own }, seed + 50)] as const;
      const result = await matchWeights({ spec, graph: undefined, engine }, pair, { seed });
      expect(result.objective.before).toBeCloseTo(await plainObjective(spec, pair), 8);
      expect(result.objective.after).toBeCloseTo(await plainObjective(spec, pair, result.alignment), 8);
      expect(result.scaledObjective).toEqual(result.objective);
      expect(result.objective.after).toBeGreaterThanOrEqual(result.objective.before);
      expect(result.status).toBe("converged");
      const best = Math.max(...result.restarts.map(({ objective }) => objective));
      expect(result.objective.after).toBe(best);
      expect(result.seed).toBe(seed);
    }
  });

  test.each(cases)("$name: gives the same bytes for the same seed", async ({ spec, ...own }) => {
    const pair = [network({ spec, ...own }, 1), network({ spec, ...own }, 2)] as const;
    const options = { seed: 6 };
    const runs = await Promise.all(
      [1, 2].map(() => matchWeights({ spec, graph: own.graph, engine }, pair, options)),
    );
    const [one, other] = runs.map(({ seconds: _, ...rest }) => rest);
    expect(one).toEqual(other);
  });

  test("finds the best of all where one block is all there is, nested symmetries included", async () => {
    const { spec } = attention;
    expect(spec.symmetries.map(({ size, cells }) => [cells.length, size])).toEqual([
      [1, 2],
      [2, 3],
      [2, 3],
    ]);
    for (let seed = 0; seed < 3; seed++) {
      const pair = [network(attention, seed), network(attention, seed + 9)] as const;
      const result = await matchWeights({ spec, graph: undefined, engine }, pair, { seed });
      expect(result.restarts.length).toBe(1);
      let best = Number.NEGATIVE_INFINITY;
      // Random elements of the 2592 there are: none may be better.
      for (let draw = 0; draw < 200; draw++) {
        best = Math.max(best, await plainObjective(spec, pair, randomAlignment(spec, draw)));
      }
      expect(result.objective.after).toBeGreaterThanOrEqual(best - 1e-9);
    }
  });

  test("gains by more searches, and never loses", async () => {
    let gained = 0;
    for (let seed = 0; seed < 5; seed++) {
      const pair = [network(transformer, seed), network(transformer, seed + 50)] as const;
      const [one, many] = await Promise.all(
        [1, 12].map((restarts) =>
          matchWeights({ spec: transformer.spec, graph: undefined, engine }, pair, { seed, restarts }),
        ),
      );
      expect(many!.restarts[0]).toEqual(one!.restarts[0]);
      expect(many!.objective.after).toBeGreaterThanOrEqual(one!.objective.after);
      if (many!.objective.after > one!.objective.after) gained++;
    }
    expect(gained).toBeGreaterThan(0);
  });

  test("does not end below where it could have stayed", async () => {
    for (const own of cases) {
      for (let seed = 0; seed < 5; seed++) {
        const weights = randomWeights(own.graph, seed);
        const noise = randomWeights(own.graph, seed + 50);
        const near = [...weights].map(([name, tensor]): [string, Tensor] => {
          const other = noise.get(name)?.data as Float32Array;
          return [
            name,
            { ...tensor, data: (tensor.data as Float32Array).map((v, i) => 0.5 * (v + other[i]!)) },
          ];
        });
        const pair = [createCheckpoint(weights), createCheckpoint(new Map(near))] as const;
        const { objective } = await matchWeights({ spec: own.spec, graph: undefined, engine }, pair, {
          seed,
          restarts: 1,
        });
        expect(objective.after).toBeGreaterThanOrEqual(objective.before);
      }
    }
  });

  test("leaves everything in place where nothing may move", async () => {
    const weights = new Map([...mlp.spec.weights].map(([name, layout]) => [name, { ...layout, fields: [] }]));
    const spec: SymmetrySpec = { ...mlp.spec, symmetries: [], followers: [], units: 0, weights };
    const result = await matchWeights(
      { spec, graph: undefined, engine },
      [network(mlp, 1), network(mlp, 2)],
      { seed: 1 },
    );
    expect(result).toMatchObject({ objective: { before: 0, after: 0 }, status: "converged" });
    expect(result.alignment.source).toEqual(new Int32Array());
  });

  test("takes networks of zeros for equal", async () => {
    const zeros = [...randomWeights(cnn.graph, 1)].map(([name, tensor]): [string, Tensor] => [
      name,
      { ...tensor, data: new Float32Array(tensor.data.length) },
    ]);
    const zero = createCheckpoint(new Map(zeros));
    const { objective } = await matchWeights(
      { spec: cnn.spec, graph: undefined, engine },
      [zero, network(cnn, 1)],
      { seed: 1 },
    );
    expect(objective).toEqual({ before: 0, after: 0 });
  });

  test("gives up after as many sweeps as it is told, and says so", async () => {
    const pair = [network(transformer, 1), network(transformer, 2)] as const;
    const statuses = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const options = { seed, maxSweeps: 1 };
      const { alignment, objective, ...rest } = await matchWeights(
        { spec: transformer.spec, graph: undefined, engine },
        pair,
        options,
      );
      expect(rest.sweeps).toBe(1);
      expect(objective.after).toBeCloseTo(await plainObjective(transformer.spec, pair, alignment), 8);
      statuses.add(rest.status);
    }
    expect([...statuses]).toContain("maxSweeps");
  });
});

describe("matchWeights() and what it is given", () => {
  const [a, b] = [network(mlp, 1), network(mlp, 2)];
  const match = (options: Partial<MatchWeightsOptions> = {}, ends: { a?: Checkpoint; b?: Checkpoint } = {}) =>
    matchWeights({ spec: mlp.spec, graph: undefined }, [ends.a ?? a, ends.b ?? b], { seed: 1, ...options });

  /** Network 2 of a case with one element of one tensor replaced. */
  function spoiled(own: NetworkCase, name: string, value: number): Checkpoint {
    const weights = randomWeights(own.graph, 2);
    const tensor = weights.get(name) as Tensor;
    const data = (tensor.data as Float32Array).slice();
    data[3] = value;
    return createCheckpoint(weights.set(name, { ...tensor, data }), {}, "spoiled.pt");
  }

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "names a weight of %d",
    async (bad) => {
      for (const ends of [{ a: spoiled(mlp, "l1.weight", bad) }, { b: spoiled(mlp, "l1.weight", bad) }]) {
        const run = match({}, ends);
        await expect(run).rejects.toMatchObject({ _tag: "InputError", input: "spoiled.pt" });
        const what = Number.isNaN(bad) ? "NaN" : "infinite";
        await expect(run).rejects.toThrow(
          `Cannot match "l1.weight" of "spoiled.pt" as weights must be finite: 1 of ${sizeOf(mlp.graph.weights.get("l1.weight")!.shape)} is ${what}, the first at element 3`,
        );
      }
    },
  );

  test("names a variance that is not a number, or negative, where norms count", async () => {
    const run = (value: number, graph?: Graph) =>
      matchWeights({ spec: cnn.spec, graph, engine }, [network(cnn, 1), spoiled(cnn, "n1.var", value)], {
        seed: 1,
      });
    await expect(run(Number.NaN, cnn.graph)).rejects.toThrow(
      /"n1.var" of "spoiled.pt" .* is NaN, the first at element 3/,
    );
    await expect(run(-1, cnn.graph)).rejects.toThrow(/"n1.var" .* must not be negative: element 3 is -1/);
    // Without the graph statistics do not count.
    expect((await run(Number.NaN)).status).toBe("converged");
  });

  test("does not look at weights that cannot move", async () => {
    const result = await match({}, { b: spoiled(mlp, "l2.bias", Number.NaN) });
    expect(result.status).toBe("converged");
  });

  test("names what two checkpoints do not share", async () => {
    const { "l1.bias": bias, ...rest } = Object.fromEntries(randomWeights(mlp.graph, 2));
    await expect(match({}, { b: createCheckpoint(rest) })).rejects.toMatchObject({
      _tag: "MismatchError",
      parameters: ["l1.bias"],
    });
    const wide = { ...rest, "l1.bias": { ...bias!, shape: [1, 12] } };
    await expect(match({}, { b: createCheckpoint(wide) })).rejects.toThrow(
      /"l1.bias" is \[12\] and \[1, 12\]/,
    );
  });

  test("names what the specification has and the checkpoints lack", async () => {
    const other = network(cnn, 1);
    await expect(match({}, { a: other, b: other })).rejects.toMatchObject({ _tag: "MismatchError" });
    const { "l1.bias": bias, ...rest } = Object.fromEntries(randomWeights(mlp.graph, 2));
    const wide = createCheckpoint({ ...rest, "l1.bias": { ...bias!, shape: [1, 12] } });
    await expect(match({}, { a: wide, b: wide })).rejects.toThrow(
      /"l1.bias" .* the symmetries are for \[12\], the checkpoint has \[1, 12\]/,
    );
  });

  test.each<[keyof MatchWeightsOptions, number]>([
    ["restarts", 0],
    ["restarts", 1.5],
    ["restarts", Number.NaN],
    ["maxSweeps", 0],
    ["maxSweeps", Number.POSITIVE_INFINITY],
    ["seed", -1],
    ["seed", 0.5],
  ])("refuses %s of %d", async (option, value) => {
    await expect(match({ [option]: value })).rejects.toThrow(RangeError);
    await expect(match({ [option]: value })).rejects.toThrow(`Cannot match weights as "${option}" must be`);
  });

  test("refuses an option that it does not know", async () => {
    await expect(match({ restart: 3 } as object)).rejects.toThrow(/no option "restart"/);
  });

  test("tells how far it is", async () => {
    const seen: MatchProgress[] = [];
    const result = await match({ restarts: 3, onProgress: (progress) => seen.push(progress) });
    expect(seen.every(({ restarts }) => restarts === 3)).toBe(true);
    const sweeps = result.restarts.map((_, k) =>
      Math.max(...seen.filter(({ restart }) => restart === k).map(({ sweep }) => sweep)),
    );
    expect(sweeps).toEqual(result.restarts.map((restart) => restart.sweeps));
  });

  test("stops when it is told to, half-way too", async () => {
    await expect(match({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    const controller = new AbortController();
    const run = match({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
  });

  test("leaves the checkpoints as they are", async () => {
    const before = structuredClone(await Promise.all([...a.tensors.keys()].map((name) => a.read(name))));
    await match();
    expect(await Promise.all([...a.tensors.keys()].map((name) => a.read(name)))).toEqual(before);
  });
});

describe("matchWeights() by norms", () => {
  /** Network `seed` with the rows of its convolutions, and what its norms measured, in another scale. */
  function rescaled(seed: number): Checkpoint {
    const weights = randomWeights(cnn.graph, seed);
    const factor = (channel: number, power: number) => 2 ** (power * ((channel % 5) - 2));
    for (const [name, power] of [
      ["weight", 1],
      ["bias", 1],
      ["mean", 1],
      ["var", 2],
    ] as const) {
      for (const layer of ["0", "1"]) {
        const key = `${name === "mean" || name === "var" ? "n" : "c"}${layer}.${name}`;
        const tensor = weights.get(key) as Tensor;
        const row = tensor.data.length / (tensor.shape[0] ?? 1);
        const data = (tensor.data as Float32Array).map(
          (value, i) => value * factor(Math.floor(i / row), power),
        );
        weights.set(key, { ...tensor, data });
      }
    }
    return createCheckpoint(weights);
  }

  test("does not depend on the scale of a convolution before a norm, without them it does", async () => {
    let changed = 0;
    for (let seed = 0; seed < 3; seed++) {
      const a = network(cnn, seed);
      const [plain, other] = [network(cnn, seed + 50), rescaled(seed + 50)];
      const match = async (b: Checkpoint, graph?: Graph) =>
        matchWeights({ spec: cnn.spec, graph, engine }, [a, b], { seed: 1 });
      const [one, two] = [await match(plain, cnn.graph), await match(other, cnn.graph)];
      expect(two.alignment).toEqual(one.alignment);
      // Epsilon beside variances of 0.03 and more.
      expect(two.scaledObjective.after).toBeCloseTo(one.scaledObjective.after, 1);
      expect(two.objective.after).not.toBeCloseTo(one.objective.after, 1);
      if (String((await match(plain)).alignment.source) !== String((await match(other)).alignment.source))
        changed++;
    }
    expect(changed).toBeGreaterThan(0);
  });
});
