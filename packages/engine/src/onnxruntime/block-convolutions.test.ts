import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  add,
  batchNorm,
  type ConvOptions,
  cast,
  conv,
  GraphBuilder,
  greater,
  mul,
  pad,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  sub,
  transpose,
  type Value,
} from "@isthmus/graph/builder";
import { intsAttribute, typesOf } from "@isthmus/graph/ir";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blockConvolutions } from "./block-convolutions.ts";
import { createOnnxRuntimeEngine } from "./create-onnxruntime-engine.ts";
import { findRuntime } from "./find-runtime.ts";
import { measureBlock } from "./measure-block.ts";

const engine = createOnnxRuntimeEngine();

interface Geometry extends ConvOptions {
  readonly batch: number;
  readonly channels: number;
  readonly out: number;
  readonly extents: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly hasBias: boolean;
}

function convolution({ batch, channels, out, extents, taps, hasBias, ...options }: Geometry): Graph {
  const builder = new GraphBuilder("convolution", 17);
  const x = builder.input("x", { dtype: "f32", shape: [batch, channels, ...extents] });
  const kernel = builder.weight("kernel", { dtype: "f32", shape: [out, channels, ...taps] });
  const bias = hasBias ? { bias: builder.weight("bias", { dtype: "f32", shape: [out] }) } : {};
  return builder.build([relu(conv(x, kernel, { ...options, ...bias }))]);
}

function randomFeeds(graph: Graph): Map<string, Tensor> {
  const types = typesOf(graph);
  const names = [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()];
  return new Map(
    names.map((name) => {
      const random = createRandom(7, name);
      const { dtype, shape } = types.get(name)!;
      return [
        name,
        { dtype, shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) },
      ];
    }),
  );
}

async function outputsOf(graph: Graph, optimize: boolean, feeds = randomFeeds(graph)): Promise<Tensor[]> {
  const session = await engine.load(graph, { optimize, threads: 1 });
  const results = await session.run(feeds);
  await session.release();
  return [...results.values()];
}

const outputOf = async (graph: Graph, optimize: boolean) => (await outputsOf(graph, optimize))[0]!;

const channels = fc.constantFrom(1, 3, 7, 16, 32, 48);
const geometries: fc.Arbitrary<Geometry> = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  channels,
  out: fc.constantFrom(8, 16, 32, 20),
  extents: fc.tuple(fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 })),
  taps: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  pads: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
  hasBias: fc.boolean(),
});

describe("blockConvolutions()", () => {
  test("keeps what convolutions compute, to rounding", async () => {
    await fc.assert(
      fc.asyncProperty(geometries, async (geometry) => {
        const graph = convolution(geometry);
        const [plain, blocked] = [await outputOf(graph, false), await outputOf(graph, true)];
        expect(blocked.shape).toEqual(plain.shape);
        const scale = Math.max(1, ...Array.from(plain.data as Float32Array, Math.abs));
        (plain.data as Float32Array).forEach((value, i) => {
          expect(Math.abs(value - (blocked.data[i] as number))).toBeLessThan(1e-5 * scale);
        });
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  test("blocks kernels that are fed and whose channels fill blocks, and no others", () => {
    const geometry: Geometry = {
      batch: 1,
      channels: 16,
      out: 32,
      extents: [5, 5],
      taps: [3, 3],
      hasBias: true,
    };
    const blocks = (changed: Partial<Geometry>, block = 16) =>
      blockConvolutions(convolution({ ...geometry, ...changed }), block).nodes.some(
        ({ domain }) => domain === "com.microsoft.nchwc",
      );
    expect(blocks({})).toBe(true);
    expect(blocks({ channels: 3 })).toBe(true);
    expect(blocks({ channels: 24 })).toBe(false);
    expect(blocks({ out: 24 })).toBe(false);
    expect(blocks({}, 0)).toBe(false);
    const graph = convolution(geometry);
    const baked = { ...graph, weights: new Map(), constants: new Map([...randomFeeds(graph)].slice(1)) };
    expect(blockConvolutions(baked, 16)).toBe(baked);
  });
});

describe("blockConvolutions() of kernel gradients", () => {
  /** A convolution, and the products of its input and its result at every tap, over examples and places. */
  function kernelGradient(batch: number, channels: number, out: number): Graph {
    const builder = new GraphBuilder("kernel gradient", 17);
    const x = builder.input("x", { dtype: "f32", shape: [batch, channels, 5, 6] });
    const y = conv(x, builder.weight("kernel", { dtype: "f32", shape: [out, channels, 3, 3] }), {
      pads: [1, 1, 1, 1],
    });
    const last = pad(transpose(x, [0, 2, 3, 1]), [0, 1, 1, 0], [0, 1, 1, 0]);
    const products = conv(reshape(last, [1, batch, 7, 8 * channels]), transpose(y, [1, 0, 2, 3]), {
      dilations: [1, channels],
    });
    return builder.build([products]);
  }

  test.each([
    { batch: 16, channels: 16, out: 16 },
    { batch: 64, channels: 32, out: 16 },
    { batch: 128, channels: 16, out: 32 },
    { batch: 32, channels: 3, out: 48 },
    { batch: 20, channels: 16, out: 16 },
  ])("keeps what they compute: $batch examples of $channels channels to $out", async (sizes) => {
    const graph = kernelGradient(sizes.batch, sizes.channels, sizes.out);
    const [plain, blocked] = [await outputOf(graph, false), await outputOf(graph, true)];
    expect(blocked.shape).toEqual([1, sizes.out, 3, 3 * sizes.channels]);
    const scale = Math.max(...Array.from(plain.data as Float32Array, Math.abs));
    (plain.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - (blocked.data[i] as number))).toBeLessThan(1e-5 * scale);
    });
  });

  test("brings each value into blocked layout once, and leaves out the images in another order", () => {
    const { nodes, constants } = blockConvolutions(kernelGradient(64, 16, 16), 16);
    const reordered = nodes.filter(({ op }) => op === "ReorderInput").flatMap(({ inputs }) => inputs);
    expect(new Set(reordered).size).toBe(reordered.length);
    expect(reordered).toHaveLength(2);
    const read = new Set(nodes.flatMap(({ inputs }) => inputs));
    expect([...constants.keys()].filter((name) => !read.has(name))).toEqual([]);
    const orders = nodes
      .filter(({ op }) => op === "Transpose")
      .map((node) => intsAttribute(node, "perm")?.join(" "));
    expect(orders).toEqual(["0 2 4 5 3 1", "0 3 1 4 2 5"]);
  });
});

describe("blockConvolutions() of images between convolutions", () => {
  const shape = [4, 16, 5, 6];

  interface Network {
    readonly builder: GraphBuilder;
    readonly x: Value;
    /** A convolution of x. */
    readonly y: Value;
  }

  function build(write: (network: Network) => readonly Value[]): Graph {
    const builder = new GraphBuilder("between", 17);
    const x = builder.input("x", { dtype: "f32", shape });
    const y = conv(x, builder.weight("kernel", { dtype: "f32", shape: [16, 16, 3, 3] }), {
      pads: [1, 1, 1, 1],
    });
    return builder.build(write({ builder, x, y }));
  }

  const channels = ({ builder }: Network, name: string) =>
    builder.weight(name, { dtype: "f32", shape: [16, 1, 1] });

  const norm = (network: Network, x: Value) => {
    const vector = (name: string) => network.builder.weight(name, { dtype: "f32", shape: [16] });
    const scale = vector("scale");
    return batchNorm(
      x,
      { scale, bias: vector("bias"), mean: vector("mean"), variance: mul(scale, scale) },
      0.1,
    );
  };

  const FUNCTIONS: Readonly<Record<string, (network: Network) => readonly Value[]>> = {
    "a norm and its ReLU": (network) => [relu(norm(network, network.y))],
    "a norm that is read twice": (network) => {
      const y = norm(network, network.y);
      return [mul(relu(y), y)];
    },
    "a residual block": (network) => [relu(add(norm(network, network.y), network.x))],
    "sums of sums": (network) => [add(add(network.y, network.x), relu(network.x))],
    "a sum of a value with itself": ({ y }) => [add(y, y)],
    "a sum of two convolutions": (network) => [
      add(mul(network.y, channels(network, "a")), norm(network, network.y)),
    ],
    "numbers of channels": (network) => [
      add(sub(mul(network.y, channels(network, "a")), channels(network, "b")), channels(network, "c")),
    ],
    "numbers of channels before an image": (network) => [sub(channels(network, "a"), network.y)],
    "one number": ({ y }) => [mul(sub(y, 3), 2)],
    "one number before an image": ({ y }) => [sub(y.builder.scalar(1, "f32"), y)],
    "numbers of columns": ({ builder, y }) => [mul(y, builder.weight("a", { dtype: "f32", shape: [6] }))],
    "numbers of examples": ({ builder, y }) => [
      mul(y, builder.weight("a", { dtype: "f32", shape: [4, 1, 1, 1] })),
    ],
    "means and sums": ({ y }) => [
      reduceMean(y, { axes: [2, 3] }),
      reduceMean(y, { axes: [2, 3], keepDims: true }),
      reduceSum(y, { axes: [2, 3] }),
      reduceMean(y, { axes: [1, 2] }),
    ],
    "the gradient of a ReLU": ({ x, y }) => [mul(x, cast(greater(relu(y), 0), "f32"))],
    "the gradient of a ReLU of whole numbers": ({ x, y }) => [mul(x, cast(greater(relu(y), 1), "f32"))],
    "a comparison that is returned": ({ y }) => [greater(y, 0)],
    "images with channels last": ({ x, y }) => [transpose(y, [0, 2, 3, 1]), transpose(x, [0, 2, 3, 1])],
    "images with examples second": ({ y }) => [transpose(y, [1, 0, 2, 3])],
    "an image and its ReLU": ({ y }) => [y, relu(y)],
  };

  test.each(Object.entries(FUNCTIONS))("keeps what they compute: %s", async (_, write) => {
    const graph = build(write);
    const [plain, blocked] = [await outputsOf(graph, false), await outputsOf(graph, true)];
    plain.forEach((values, i) => {
      expect(blocked[i]!.shape).toEqual(values.shape);
      const scale = Math.max(1, ...Array.from(values.data as ArrayLike<number>, Math.abs));
      Array.from(values.data as ArrayLike<number>).forEach((value, at) => {
        expect(Math.abs(value - Number(blocked[i]!.data[at]))).toBeLessThan(1e-5 * scale);
      });
    });
  });

  test("keeps what they compute if the shapes between them are not known", async () => {
    const typed = build((network) => [relu(add(norm(network, network.y), network.x))]);
    const { types: _, ...graph } = typed;
    const [plain] = await outputsOf(typed, false);
    const [blocked] = await outputsOf(graph, true, randomFeeds(typed));
    Array.from(plain!.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - Number(blocked!.data[i]))).toBeLessThan(1e-4);
    });
  });

  const operators = (write: (network: Network) => readonly Value[]) =>
    blockConvolutions(build(write), 16).nodes.map(({ op }) => op);

  test("computes a residual block in two convolutions, without passes for norm, sum and ReLU", () => {
    const found = operators((network) => [relu(add(norm(network, network.y), network.x))]);
    expect(found.filter((op) => op === "Conv")).toHaveLength(2);
    expect(found).not.toContain("BatchNormalization");
    expect(found).not.toContain("Relu");
    expect(found.filter((op) => op.startsWith("Reorder"))).toEqual(["ReorderInput", "ReorderOutput"]);
  });

  test("computes the gradient of a ReLU by one slope", () => {
    const found = operators(({ x, y }) => [mul(x, cast(greater(relu(y), 0), "f32"))]);
    expect(found).toContain("HardSigmoid");
    expect(found).not.toContain("Greater");
  });
});

test("measureBlock() finds a block of 8 or 16 channels, or none", async () => {
  expect([0, 8, 16]).toContain(await measureBlock(await findRuntime().start()));
});
