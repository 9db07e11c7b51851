import { createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type Graph, randomWeights } from "@isthmus/graph";
import { average } from "@isthmus/interpolation";
import { activationStatistics, createRepairer, type RepairOptions, type UnitView } from "@isthmus/statistics";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 64;

function examplesFor(graph: Graph) {
  const shape = (graph.inputs[0]?.shape ?? []).slice(1).map(Number);
  const random = createRandom(5, "examples");
  const size = shape.reduce((a, b) => a * b, EXAMPLES);
  const data = Float32Array.from({ length: size }, () => random.normal());
  return createDataSet({ dtype: "f32", shape: [EXAMPLES, ...shape], data }, new Int32Array(EXAMPLES), {
    name: "random",
  });
}

/** Two convolutions without biases, a grouped one with, and a head. */
function unbiased(): Graph {
  const b = new GraphBuilder();
  const conv = (x: string, name: string, shape: readonly number[]) =>
    b.op("Relu", [b.op("Conv", [x, b.weight(name, shape)], { pads: [1, 1, 1, 1] })]);
  const first = conv(b.input("x", [2, 4, 4]), "c0", [6, 2, 3, 3]);
  const grouped = b.op("Relu", [b.conv(first, "c1", [6, 4], 2)]);
  const flat = b.reshape(grouped, 0, 64);
  const hidden = b.op("Tanh", [b.op("Gemm", [flat, b.weight("g0", [64, 5]), b.weight("g0.bias", [5])])]);
  return b.output(b.linear(hidden, "out", 5, 3)).build("unbiased");
}

/** A hidden layer whose matrix `[out, in]` is transposed by a node, as in graphs that read a checkpoint of PyTorch as it is. */
function transposed(): Graph {
  const b = new GraphBuilder();
  const product = b.op("MatMul", [b.input("x", [6]), b.op("Transpose", [b.weight("w", [8, 6])])]);
  const hidden = b.op("Relu", [b.op("Add", [product, b.weight("b", [8])])]);
  return b.output(b.linear(hidden, "out", 8, 3)).build("transposed");
}

interface Setup {
  readonly graph: Graph;
  /** Values that are corrected. */
  readonly views: readonly UnitView[];
}

const valuesOf = (graph: Graph, op: string, axis: number): UnitView[] =>
  graph.nodes
    .filter((node) => node.op === op && !graph.outputs.some(({ name }) => name === node.outputs[0]))
    .map(({ outputs }) => ({ value: outputs[0] ?? "", axes: [axis] }));

const [mlp, cnn, transformer, bare] = [smallMlp(), smallCnn(), smallTransformer(), unbiased()];
const turned = transposed();
const setups: readonly (readonly [string, Setup])[] = [
  ["transposed", { graph: turned, views: valuesOf(turned, "Add", -1) }],
  ["mlp", { graph: mlp, views: valuesOf(mlp, "Add", -1) }],
  ["cnn", { graph: cnn, views: [...valuesOf(cnn, "BatchNormalization", 1), ...valuesOf(cnn, "Add", -1)] }],
  [
    "unbiased",
    { graph: bare, views: [...valuesOf(bare, "Conv", 1).slice(1), ...valuesOf(bare, "Gemm", -1)] },
  ],
];

const networksOf = (graph: Graph, count: number) =>
  Array.from({ length: count }, (_, seed) => randomWeights(graph, seed + 1));

async function combine(
  graph: Graph,
  networks: readonly ReadonlyMap<string, Tensor>[],
  shares: readonly number[],
) {
  return bindWeights(
    graph,
    average(
      networks.map((weights) => createCheckpoint(weights)),
      shares,
    ),
  );
}

async function repair(
  graph: Graph,
  networks: readonly ReadonlyMap<string, Tensor>[],
  shares: readonly number[],
  options: RepairOptions = {},
) {
  const repairer = await createRepairer(
    { graph, engine },
    networks.map((weights) => createCheckpoint(weights)),
    examplesFor(graph),
    options,
  );
  return bindWeights(
    graph,
    await repairer.repair(createCheckpoint(await combine(graph, networks, shares)), shares),
  );
}

const measure = (graph: Graph, weights: ReadonlyMap<string, Tensor>, views: readonly UnitView[]) =>
  activationStatistics({ graph, engine }, createCheckpoint(weights), examplesFor(graph), { views });

const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-4) => {
  const scale = 1 + Math.max(...Array.from(wanted, Math.abs));
  Array.from(wanted).forEach((value, i) => {
    expect(Math.abs((got[i] ?? Number.NaN) - value)).toBeLessThan(tolerance * scale);
  });
};

describe("createRepairer()", () => {
  test.each(setups)(
    "gives every pre-activation of %s the average mean and deviation",
    async (_, { graph, views }) => {
      for (const shares of [
        [0.5, 0.5],
        [0.2, 0.3, 0.5],
      ]) {
        const networks = networksOf(graph, shares.length);
        const repaired = await measure(graph, await repair(graph, networks, shares), views);
        const ends = await Promise.all(networks.map((weights) => measure(graph, weights, views)));
        repaired.forEach(({ mean, variance }, site) => {
          const goal = (read: (unit: number, network: number) => number) =>
            mean.map((_, unit) => shares.reduce((sum, share, k) => sum + share * read(unit, k), 0));
          close(
            mean,
            goal((unit, k) => ends[k]?.[site]?.mean[unit] ?? 0),
          );
          // Units of the combination that never vary cannot be given a deviation.
          const wanted = goal((unit, k) => Math.sqrt(ends[k]?.[site]?.variance[unit] ?? 0));
          close(
            variance.map(Math.sqrt),
            wanted.map((value, unit) => ((variance[unit] ?? 0) > 0 ? value : 0)),
          );
        });
      }
    },
  );

  test.each([false, true])("leaves a network as it is (closed form: %s)", async (closedForm) => {
    for (const graph of [mlp, cnn, transformer, bare]) {
      const [network = new Map()] = networksOf(graph, 1);
      const output = [{ value: graph.outputs[0]?.name ?? "", axes: [-1] }];
      const [before] = await measure(graph, network, output);
      const [after] = await measure(graph, await repair(graph, [network], [1], { closedForm }), output);
      close(after?.mean ?? [], before?.mean ?? []);
      close(after?.variance ?? [], before?.variance ?? [], 1e-3);
    }
  });

  test("is exact in closed form where layers read the data", async () => {
    const networks = networksOf(bare, 2);
    const views = [{ value: bare.nodes[0]?.outputs[0] ?? "", axes: [1] }];
    const [closed] = await measure(
      bare,
      await repair(bare, networks, [0.3, 0.7], { closedForm: true }),
      views,
    );
    const [measured] = await measure(bare, await repair(bare, networks, [0.3, 0.7]), views);
    close(closed?.variance ?? [], measured?.variance ?? []);
    close(closed?.mean ?? [], measured?.mean ?? []);
  });

  test("adds no weights, and corrects all but the outputs", async () => {
    const networks = networksOf(cnn, 2);
    const architecture = { graph: cnn, engine };
    const checkpoints = networks.map((weights) => createCheckpoint(weights));
    const repairer = await createRepairer(architecture, checkpoints, examplesFor(cnn));
    expect([...repairer.sites].sort()).toEqual(["l0.weight", "n0.mean", "n1.mean"]);
    const merged = await combine(cnn, networks, [0.5, 0.5]);
    const repaired = await bindWeights(cnn, await repairer.repair(createCheckpoint(merged), [0.5, 0.5]));
    expect([...repaired.keys()]).toEqual([...merged.keys()]);
    for (const [name, { shape, dtype }] of merged) expect(repaired.get(name)).toMatchObject({ shape, dtype });
    expect(repaired.get("l1.weight")).toEqual(merged.get("l1.weight"));
  });

  test("gives finite weights where units are dead", async () => {
    const networks = networksOf(mlp, 2);
    for (const weights of networks) {
      weights.set("l0.weight", { dtype: "f32", shape: [6, 16], data: new Float32Array(96) });
    }
    for (const closedForm of [false, true]) {
      for (const { data } of (await repair(mlp, networks, [0.5, 0.5], { closedForm })).values()) {
        expect((data as Float32Array).every(Number.isFinite)).toBe(true);
      }
    }
  });

  test("gives the same for any batch size, and where nothing is kept between layers", async () => {
    const networks = networksOf(cnn, 2);
    const whole = await repair(cnn, networks, [0.5, 0.5]);
    const other = await repair(cnn, networks, [0.5, 0.5], { batchSize: 7, maxCacheBytes: 0 });
    for (const [name, { data }] of whole) close(other.get(name)?.data as Float32Array, data as Float32Array);
  });

  test("refuses shares that are not one for each network, of sum 1", async () => {
    const networks = networksOf(mlp, 2).map((weights) => createCheckpoint(weights));
    const repairer = await createRepairer({ graph: mlp, engine }, networks, examplesFor(mlp));
    for (const shares of [[1], [0.5, 0.6], [Number.NaN, 1]]) {
      await expect(repairer.repair(networks[0]!, shares)).rejects.toThrow(RangeError);
    }
  });
});
