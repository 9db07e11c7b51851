import { fileURLToPath } from "node:url";
import { type Checkpoint, convertData, createCheckpoint, createRandom, toFloat32 } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights, readGraph } from "@isthmus/graph";
import {
  type DiagonalSymmetry,
  discoverLinearSymmetries,
  discoverSymmetries,
  LINEAR_KINDS,
  type LinearSymmetries,
  permute,
  randomAlignment,
  rotateUnits,
  type Symmetries,
  type SymmetrySpec,
  verifyAlignment,
  verifyLinearSymmetries,
} from "@isthmus/symmetry";
import { multiplyUnits } from "@isthmus/symmetry/layout";
import { canonicalize, matchNormalized, matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { alignRotations } from "../../weight-matching/src/normalize/rotations.ts";
import { transformRandomly } from "../src/linear/verify-linear-symmetries.ts";

const engine = createOnnxRuntimeEngine();
const SEED = 4;

interface Found {
  readonly permutations: Symmetries;
  readonly spec: SymmetrySpec;
  readonly linear: LinearSymmetries;
}

/** Discovers, and verifies each kind on every value. */
async function discover(graph: Graph): Promise<Found> {
  const permutations = await discoverSymmetries({ graph, engine });
  const linear = await discoverLinearSymmetries({ graph, engine }, permutations);
  const found = { permutations, spec: permutations.spec, linear };
  for (const result of await verifyLinearSymmetries({ graph, engine }, found, { seed: SEED })) {
    expect(result, result.kind).toMatchObject({ passed: true });
  }
  return found;
}

/** Numbers of scales and signs, and of rotations by size: `4x6` for 4 cells of 6. */
async function countsOf(graph: Graph): Promise<{ scales: number; signs: number; rotations: string[] }> {
  const { linear } = await discover(graph);
  const cells = new Map<string, number[]>();
  for (const { symmetry, size } of linear.rotations)
    cells.set(symmetry, [...(cells.get(symmetry) ?? []), size]);
  return {
    scales: linear.scales.variables,
    signs: linear.signs.variables,
    rotations: [...cells.values()].map((sizes) => `${sizes.length}x${sizes[0]}`),
  };
}

const none = { scales: 0, signs: 0, rotations: [] as string[] };

/** Two layers of 6 and 4 with an activation. */
function mlp(activation: (b: GraphBuilder, x: string) => string): Graph {
  const b = new GraphBuilder(20);
  const hidden = activation(b, b.linear(b.input("x", [5]), "one", 5, 6));
  return b.output(b.linear(activation(b, b.linear(hidden, "two", 6, 4)), "head", 4, 3)).build();
}

const unary =
  (op: string, attributes: Record<string, number> = {}) =>
  (b: GraphBuilder, x: string): string =>
    b.op(op, [x], attributes);

describe("discoverLinearSymmetries() by activation", () => {
  test.each([
    ["Relu", unary("Relu"), { ...none, scales: 10 }],
    ["LeakyRelu", unary("LeakyRelu", { alpha: 0.25 }), { ...none, scales: 10 }],
    ["Tanh", unary("Tanh"), { ...none, signs: 10 }],
    ["Erf", unary("Erf"), { ...none, signs: 10 }],
    ["Gelu", unary("Gelu"), none],
    ["Sigmoid", unary("Sigmoid"), none],
    [
      "a square",
      (b: GraphBuilder, x: string) => b.op("Pow", [x, b.constant([2], [])]),
      { ...none, signs: 10 },
    ],
    ["a product with itself", (b: GraphBuilder, x: string) => b.op("Mul", [x, x]), { ...none, signs: 10 }],
    ["none", (_: GraphBuilder, x: string) => x, { scales: 10, signs: 10, rotations: ["1x6", "1x4"] }],
    [
      "a half",
      (b: GraphBuilder, x: string) => b.op("Mul", [x, b.constant([0.5], [])]),
      { scales: 10, signs: 10, rotations: ["1x6", "1x4"] },
    ],
    [
      "a ReLU clipped above",
      (b: GraphBuilder, x: string) => b.op("Clip", [x, b.constant([0], []), b.constant([6], [])]),
      none,
    ],
  ])("discoverLinearSymmetries() of %s", async (_, activation, expected) => {
    expect(await countsOf(mlp(activation))).toEqual(expected);
  });
});

describe("discoverLinearSymmetries() of architectures", () => {
  test("discoverLinearSymmetries() scales channels behind batch norms, through pools and a flatten", async () => {
    const b = new GraphBuilder();
    const norm = (x: string, name: string, width: number) =>
      b.op("BatchNormalization", [
        x,
        b.weight(`${name}.weight`, [width]),
        b.weight(`${name}.bias`, [width]),
        b.weight(`${name}.mean`, [width], "statistic"),
        b.weight(`${name}.var`, [width], "statistic"),
      ]);
    const one = b.op("Relu", [norm(b.conv(b.input("x", [3, 8, 8]), "one", [3, 6]), "norm", 6)]);
    const pooled = b.op("MaxPool", [one], { kernel_shape: [2, 2], strides: [2, 2] });
    const two = b.op("Relu", [b.conv(b.conv(pooled, "middle", [6, 6]), "two", [6, 4])]);
    const small = b.op("AveragePool", [two], { kernel_shape: [2, 2], strides: [2, 2] });
    const graph = b.output(b.linear(b.reshape(small, 0, 16), "head", 16, 3)).build();
    // Channels behind the norm, of the middle, and of the last; before the norm there are none. The middle is linear.
    expect(await countsOf(graph)).toEqual({ scales: 16, signs: 6, rotations: ["1x6"] });
  });

  test("discoverLinearSymmetries() leaves a residual stream between norms alone but for what norms multiply", async () => {
    const b = new GraphBuilder();
    const x = b.linear(b.input("x", [5]), "embed", 5, 8);
    const normal = b.op("LayerNormalization", [x, b.weight("norm.weight", [8]), b.weight("norm.bias", [8])]);
    const gated = b.op("Mul", [
      b.op("Sigmoid", [b.linear(normal, "gate", 8, 6)]),
      b.linear(normal, "up", 8, 6),
    ]);
    const y = b.op("Add", [x, b.linear(gated, "down", 6, 8)]);
    const graph = b.output(b.linear(b.op("Sin", [y]), "head", 8, 3)).build();
    // What the norm gives, and the ungated half.
    expect(await countsOf(graph)).toEqual({ scales: 14, signs: 14, rotations: [] });
  });

  /** Attention of 2 heads of 3; `norm` and `scale` act on queries and keys. */
  function attention(body: (b: GraphBuilder, x: string) => string, shared = false): Graph {
    const b = new GraphBuilder();
    const x = b.op("Relu", [b.linear(b.input("x", [5, 7]), "embed", 7, 6)]);
    const heads = (name: string, count: number) =>
      b.transpose(b.reshape(b.linear(x, name, 6, count * 3), 0, 5, count, 3), 0, 2, 1, 3);
    const keyHeads = shared ? 1 : 2;
    const repeat = (value: string) => (shared ? b.op("Expand", [value, b.ints(1, 2, 5, 3)]) : value);
    const q = body(b, heads("q", 2));
    const k = repeat(body(b, heads("k", keyHeads)));
    const v = repeat(heads("v", keyHeads));
    const weights = b.op("Softmax", [b.op("MatMul", [q, b.transpose(k, 0, 1, 3, 2)])], { axis: -1 });
    const mixed = b.reshape(b.transpose(b.op("MatMul", [weights, v]), 0, 2, 1, 3), 0, 5, 6);
    return b.output(b.linear(b.op("Sigmoid", [b.linear(mixed, "proj", 6, 8)]), "head", 8, 3)).build();
  }

  test("discoverLinearSymmetries() rotates queries with keys and values with outputs, biases included", async () => {
    // 6 of the embedding, 6 of queries with keys, 6 of values.
    expect(await countsOf(attention((_, x) => x))).toEqual({
      scales: 18,
      signs: 12,
      rotations: ["2x3", "2x3"],
    });
  });

  test("discoverLinearSymmetries() leaves keys that heads share alone, as queries follow them by permutation only", async () => {
    const { rotations } = await countsOf(attention((_, x) => x, true));
    expect(rotations).toEqual([]);
  });

  test("discoverLinearSymmetries() does not rotate what is multiplied by numbers of its own", async () => {
    const rotary = (b: GraphBuilder, x: string) => b.op("Mul", [x, b.constant([1, 2, 3], [3])]);
    expect((await countsOf(attention(rotary))).rotations).toEqual(["2x3"]);
    const scaled = (b: GraphBuilder, x: string) => b.op("Mul", [x, b.weight(`scale.${x}`, [3])]);
    expect((await countsOf(attention(scaled))).rotations).toEqual(["2x3"]);
  });

  test.each(["mnist-mlp", "fmnist-cnn", "fmnist-vit"])(
    "discoverLinearSymmetries() of %s is right",
    async (name) => {
      const path = fileURLToPath(new URL(`../../../test/fixtures/${name}/graph.onnx`, import.meta.url));
      const counts = await countsOf((await readGraph(path)).graph);
      if (name === "mnist-mlp") expect(counts).toEqual({ ...none, scales: 1536 });
      if (name === "fmnist-vit") expect(counts.rotations).toEqual(new Array(8).fill("4x24"));
    },
  );
});

async function valuesOf(network: Checkpoint): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const name of network.tensors.keys()) {
    const { data, dtype } = await network.read(name);
    values.set(name, toFloat32(data, dtype));
  }
  return values;
}

/** Largest difference of two networks, relative to the largest element of each tensor. */
async function differ(a: Checkpoint, b: Checkpoint): Promise<number> {
  const [one, two] = await Promise.all([valuesOf(a), valuesOf(b)]);
  let worst = 0;
  for (const [name, values] of one) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    values.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - (two.get(name)?.[i] ?? 0)) / largest);
    });
  }
  return worst;
}

const CASES = [
  ["scales", "scale", unary("Relu")],
  ["signs", "sign", unary("Tanh")],
] as const;

describe("canonicalize()", () => {
  test.each(CASES)("canonicalize() takes away what %s were", async (_, kind, activation) => {
    const graph = mlp(activation);
    const found = await discover(graph);
    const network = createCheckpoint(randomWeights(graph, SEED));
    const other = transformRandomly(network, found.spec, found.linear, { seed: SEED, kinds: LINEAR_KINDS });
    expect(await differ(network, other)).toBeGreaterThan(0.1);
    const [one, two] = [
      await canonicalize(network, found, { kinds: [kind] }),
      await canonicalize(other, found, { kinds: [kind] }),
    ];
    expect(await differ(one.network, two.network)).toBeLessThan(1e-3);
    const same = await verifyAlignment({ graph, engine }, [network, one.network], { seed: SEED });
    expect(same.passed).toBe(true);
    expect(await differ(await one.undo(one.network), network)).toBeLessThan(1e-5);
  });

  test("canonicalize() balances norms in front of units and behind", async () => {
    const graph = mlp(unary("Relu"));
    const found = await discover(graph);
    const { network } = await canonicalize(createCheckpoint(randomWeights(graph, SEED)), found);
    const values = await valuesOf(network);
    for (let unit = 0; unit < 6; unit++) {
      let front = (values.get("one.bias")?.[unit] ?? 0) ** 2;
      let behind = 0;
      for (let i = 0; i < 5; i++) front += (values.get("one.weight")?.[i * 6 + unit] ?? 0) ** 2;
      for (let i = 0; i < 4; i++) behind += (values.get("two.weight")?.[unit * 4 + i] ?? 0) ** 2;
      expect(front / behind).toBeCloseTo(1, 2);
    }
  });
});

describe("matchNormalized()", () => {
  test.each(CASES)(
    "matchNormalized() finds units again whose %s were changed and that were permuted",
    async (_, kind, activation) => {
      const graph = mlp(activation);
      const found = await discover(graph);
      const { spec, linear } = found;
      const a = createCheckpoint(randomWeights(graph, SEED));
      const planted = randomAlignment(spec, SEED + 1);
      const b = transformRandomly(permute(planted, a, spec), spec, linear, {
        seed: SEED,
        kinds: LINEAR_KINDS,
      });
      const { network } = await matchNormalized([a, b], found, [kind], ([one, two]) =>
        matchWeights({ spec, graph: undefined }, [one, two], { seed: SEED }),
      );
      expect(await differ(a, network)).toBeLessThan(1e-3);
    },
  );

  test("matchNormalized() undoes rotations of attention", async () => {
    const b = new GraphBuilder();
    const x = b.input("x", [5, 7]);
    const part = (name: string) => b.transpose(b.reshape(b.linear(x, name, 7, 12), 0, 5, 2, 6), 0, 2, 1, 3);
    const scores = b.op("MatMul", [part("q"), b.transpose(part("k"), 0, 1, 3, 2)]);
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), part("v")]);
    const graph = b
      .output(b.linear(b.reshape(b.transpose(mixed, 0, 2, 1, 3), 0, 5, 12), "proj", 12, 7))
      .build();
    const found = await discover(graph);
    const { spec, linear } = found;
    const a = createCheckpoint(randomWeights(graph, SEED));
    const planted = randomAlignment(spec, SEED + 1);
    const kinds = ["rotation"] as const;
    const turned = transformRandomly(permute(planted, a, spec), spec, linear, { seed: SEED, kinds });
    expect(await differ(a, turned)).toBeGreaterThan(0.1);
    const { network } = await matchNormalized([a, turned], found, kinds, ([one, two]) =>
      matchWeights({ spec, graph: undefined }, [one, two], { seed: SEED }),
    );
    expect(await differ(a, network)).toBeLessThan(1e-3);
  });
});

describe("matchNormalized() of transformed networks", () => {
  /** Attention of 2 heads of 4, and a layer with ReLU behind it: every kind but signs alone. */
  function transformer(): Graph {
    const b = new GraphBuilder();
    const x = b.input("x", [5, 7]);
    const part = (name: string) => b.transpose(b.reshape(b.linear(x, name, 7, 8), 0, 5, 2, 4), 0, 2, 1, 3);
    const scores = b.op("MatMul", [part("q"), b.transpose(part("k"), 0, 1, 3, 2)]);
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), part("v")]);
    const y = b.linear(b.reshape(b.transpose(mixed, 0, 2, 1, 3), 0, 5, 8), "proj", 8, 7);
    const hidden = b.op("Relu", [b.linear(b.op("Sigmoid", [y]), "up", 7, 9)]);
    return b.output(b.linear(hidden, "down", 9, 3)).build();
  }

  const graphs = { transformer, relu: () => mlp(unary("Relu")), tanh: () => mlp(unary("Tanh")) };

  test.each(Object.entries(graphs))(
    "matchNormalized() gives back the weights of a transformed and permuted %s, whatever the seed",
    async (_, make) => {
      const found = await discover(make());
      const { spec, linear } = found;
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), async (seed) => {
          const a = createCheckpoint(randomWeights(make(), seed));
          const permuted = permute(randomAlignment(spec, seed + 1), a, spec);
          const b = transformRandomly(permuted, spec, linear, { seed: seed + 2, kinds: LINEAR_KINDS });
          const { network, distance } = await matchNormalized([a, b], found, LINEAR_KINDS, ([one, two]) =>
            matchWeights({ spec, graph: undefined }, [one, two], { seed }),
          );
          expect(distance.before).toBeGreaterThan(0.1);
          expect(await differ(a, network)).toBeLessThan(1e-4);
        }),
        { numRuns: 5, seed: 1 },
      );
    },
  );

  test("matchNormalized() leaves what any network computes, and brings it closer", async () => {
    const graph = transformer();
    const found = await discover(graph);
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.subarray([...LINEAR_KINDS]), async (seed, kinds) => {
        const [a, b] = [seed, seed + 1].map((own) => createCheckpoint(randomWeights(graph, own))) as [
          Checkpoint,
          Checkpoint,
        ];
        const match = ([one, two]: readonly [Checkpoint, Checkpoint]) =>
          matchWeights({ spec: found.spec, graph: undefined }, [one, two], { seed });
        const { network, distance } = await matchNormalized([a, b], found, kinds, match);
        expect(distance.after).toBeLessThan(distance.before);
        const { maxRelativeError } = await verifyAlignment({ graph, engine }, [b, network], { seed });
        expect(maxRelativeError).toBeLessThan(2e-5);
      }),
      { numRuns: 5, seed: 1 },
    );
  });

  test("matchNormalized() keeps element types and refuses what is not finite", async () => {
    const graph = mlp(unary("Relu"));
    const found = await discover(graph);
    const weights = randomWeights(graph, SEED);
    const a = createCheckpoint(weights);
    const half = new Map(
      [...weights].map(([name, { shape, data }]) => {
        const bits = convertData(data, "f32", "bf16");
        return [name, { dtype: "bf16" as const, shape, data: bits }];
      }),
    );
    const match = ([one, two]: readonly [Checkpoint, Checkpoint]) =>
      matchWeights({ spec: found.spec, graph: undefined }, [one, two], { seed: SEED });
    const { network } = await matchNormalized([a, createCheckpoint(half)], found, ["scale"], match);
    expect((await network.read("one.weight")).dtype).toBe("bf16");
    expect(await differ(a, network)).toBeLessThan(0.02);
    const broken = createCheckpoint(
      new Map(
        [...weights].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() }]),
      ),
    );
    ((await broken.read("two.bias")).data as Float32Array)[1] = Number.NaN;
    await expect(matchNormalized([a, broken], found, ["scale"], match)).rejects.toThrow(
      /"two\.bias" .* as weights must be finite: 1 of \d+ is NaN, the first at element 1/,
    );
  });
});

describe("verifyLinearSymmetries()", () => {
  test.each(LINEAR_KINDS)("verifyLinearSymmetries() catches a wrong %s and says where", async (kind) => {
    const graph = mlp((_, x) => x);
    const { permutations, linear } = await discover(graph);
    const wrong = {
      ...linear,
      scales: without(linear.scales, "two.weight"),
      signs: without(linear.signs, "two.weight"),
    };
    const own = kind === "rotation" ? mlp(unary("Relu")) : graph;
    const results = await verifyLinearSymmetries(
      { graph: own, engine },
      { permutations, linear: wrong },
      { seed: SEED },
    );
    const result = results.find((entry) => entry.kind === kind);
    expect(result).toMatchObject({ passed: false });
    expect(result?.firstFailure?.node).toMatch(kind === "rotation" ? /Relu/ : /Gemm|MatMul/);
  });

  /** The symmetry with one weight forgotten. */
  function without(symmetry: DiagonalSymmetry, name: string): DiagonalSymmetry {
    return { ...symmetry, weights: new Map([...symmetry.weights].filter(([own]) => own !== name)) };
  }
});

describe("alignRotations()", () => {
  test("alignRotations() undoes a planted rotation", async () => {
    const b = new GraphBuilder();
    const graph = b.output(b.linear(b.linear(b.input("x", [5]), "one", 5, 6), "head", 6, 3)).build();
    const { spec, linear } = await discover(graph);
    const a = createCheckpoint(randomWeights(graph, SEED));
    const turned = transformRandomly(a, spec, linear, { seed: SEED, kinds: ["rotation"] });
    expect(await differ(a, turned)).toBeGreaterThan(0.1);
    const rotations = await alignRotations([a, turned], spec, linear.rotations);
    expect(await differ(a, rotateUnits(turned, spec, rotations))).toBeLessThan(1e-5);
  });
});

describe("multiplyUnits()", () => {
  test("multiplyUnits() refuses factors that are not of its kind", async () => {
    const graph = mlp(unary("Relu"));
    const { linear } = await discover(graph);
    const network = createCheckpoint(randomWeights(graph, SEED));
    const factors = Float64Array.from({ length: 10 }, () => createRandom(SEED, "factor").uniform() + 1);
    expect(() => multiplyUnits(network, linear.scales, factors.slice(1))).toThrow(
      /as there must be a factor for each variable: 9 for 10$/,
    );
    factors[3] = -1;
    expect(() => multiplyUnits(network, linear.scales, factors)).toThrow(
      /as factors must be positive: number 3 is -1$/,
    );
  });
});

describe("rotateUnits()", () => {
  test("rotateUnits() refuses a matrix that is not orthogonal", async () => {
    const graph = mlp((_, x) => x);
    const { spec, linear } = await discover(graph);
    const network = createCheckpoint(randomWeights(graph, SEED));
    const [space] = linear.rotations;
    if (space === undefined) throw new TypeError("Cannot test rotations as there must be one: there is none");
    const matrix = new Float64Array(space.size ** 2).fill(1);
    expect(() => rotateUnits(network, spec, [{ space, matrix }])).toThrow(/must be orthogonal, 6 x 6/);
  });
});
