import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, createCheckpoint, createTensor, toFloat64, UnsupportedError } from "@isthmus/core";
import {
  type CurvatureOperator,
  empiricalFisher,
  gaussNewton,
  hessian,
  kfac,
  measureCurvature,
} from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { decodeGraph, type Graph, scoreBy } from "@isthmus/graph";
import { string } from "@isthmus/graph/ir";
import { train, withLossGraph } from "@isthmus/training";
import { describe, expect, test } from "vitest";
import { twoLayerMlp, twoLayerWeights } from "../../../test/helpers/two-layer-mlp.ts";
import { waves } from "../../../test/helpers/waves.ts";

/** Losses that torch.onnx exports, and PyTorch's products; see tools/golden/loss-graphs.py. */
const golden: Readonly<
  Record<
    "huber" | "poisson",
    {
      graph: string;
      loss: number;
      gradient: readonly number[];
      hessian: readonly number[];
      gaussNewton: readonly number[];
    }
  >
> = JSON.parse(readFileSync(new URL("golden/loss-graphs.json", import.meta.url), "utf8"));

const EXAMPLES = 14;
const engine = createOnnxRuntimeEngine();
const network = createCheckpoint(twoLayerWeights(1, 0.8), {}, "waves");
const graph = twoLayerMlp({ batchName: "N" });
const data = createDataSet(waves([EXAMPLES, 5], 10, 1.5), waves([EXAMPLES, 3], 30, 1), { name: "waves" });
const lossOf = (name: keyof typeof golden) => decodeGraph(Buffer.from(golden[name].graph, "base64"));

async function product(opening: Promise<CurvatureOperator>): Promise<Float64Array> {
  const operator = await opening;
  const out = new Float64Array(operator.dimension);
  await operator.apply(Float64Array.from(waves([operator.dimension], 20, 1).data as Float32Array), out);
  await operator.release();
  return out;
}

/** Options of a training of one step, so small that the network stays. */
const ONE_STEP = {
  batch: EXAMPLES,
  epochs: 1,
  seed: 0,
  optimizer: { kind: "sgd" },
  schedule: { kind: "constant", learningRate: 1e-9 },
} as const;

const expectClose = (out: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(out).toHaveLength(expected.length);
  for (const [i, x] of Array.from(out).entries())
    expect(Math.abs(x - at(expected, i, "element"))).toBeLessThan(2e-6);
};

describe.each(["huber", "poisson"] as const)("the loss graph %s of torch.onnx", (name) => {
  test("has the Hessian and the Gauss-Newton matrix of PyTorch", async () => {
    const { hessian: exact, gaussNewton: gaussian } = golden[name];
    const own = withLossGraph("measure", { graph, data }, lossOf(name));
    const options = { loss: own.loss, batchSize: 6 };
    const architecture = { graph: own.graph, engine };
    expectClose(await product(hessian(architecture, network, own.data, options)), exact);
    expectClose(await product(gaussNewton(architecture, network, own.data, options)), gaussian);
  });

  test("is trained along the gradient of PyTorch, and evaluated by itself", async () => {
    const own = withLossGraph("train", { graph, data }, lossOf(name));
    const learningRate = 0.25;
    const { weights, result } = await train({ graph: own.graph, engine }, network, own.data, {
      ...ONE_STEP,
      loss: own.loss,
      evaluationData: own.data,
      schedule: { kind: "constant", learningRate },
    });
    const steps: number[] = [];
    for (const parameter of graph.weights.keys()) {
      const [before, after] = [await network.read(parameter), await weights.read(parameter)];
      const moved = toFloat64(after.data, after.dtype);
      steps.push(
        ...toFloat64(before.data, before.dtype).map((x, i) => (x - at(moved, i, "element")) / learningRate),
      );
    }
    expectClose(steps, golden[name].gradient);
    expect(result.epochs.at(0)?.loss).toBeCloseTo(golden[name].loss, 6);
    expect(result.epochs.at(0)?.evaluation?.loss).toBeLessThan(golden[name].loss);
  });

  test("is measured from its file, by every matrix that it has", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-loss-"));
    try {
      const lossGraph = join(folder, "loss.onnx");
      writeFileSync(lossGraph, Buffer.from(golden[name].graph, "base64"));
      for (const operator of ["hessian", "gauss-newton", "kfac", "ekfac"] as const) {
        const result = await measureCurvature({ graph, engine }, network, data, { lossGraph, operator });
        expect(result.loss).toBeCloseTo(golden[name].loss, 6);
        expect(result.lossKind).toBeUndefined();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a loss graph of single losses has an empirical Fisher information, and the named loss its matrices", async () => {
  const own = withLossGraph("measure", { graph, data }, lossOf("huber"));
  const architecture = { graph: own.graph, engine };
  const fisher = await product(empiricalFisher(architecture, network, own.data, { loss: own.loss }));
  expect(fisher.every(Number.isFinite)).toBe(true);
  // A Poisson loss over single numbers is the one of that name, which has blocks of single numbers.
  const poisson = withLossGraph("measure", { graph, data }, lossOf("poisson"));
  const named = { graph: scoreBy(graph, "poisson"), engine };
  for (const open of [hessian, gaussNewton, kfac]) {
    const expected = await product(open(named, network, data));
    const { loss } = poisson;
    expectClose(
      await product(open({ graph: poisson.graph, engine }, network, poisson.data, { loss })),
      expected,
    );
  }
});

test("refuses options of approximations that the operator does not take", async () => {
  for (const option of [{ fisher: "mc" }, { sharing: "reduce" }, { damping: 1 }] as const) {
    const measuring = measureCurvature({ graph, engine }, network, data, {
      ...option,
      operator: "gauss-newton",
    });
    await expect(measuring).rejects.toThrow(/only the operators "kfac" and "ekfac" take it/);
  }
});

test("refuses a loss of one target for each example behind a network that predicts tokens", () => {
  const [output] = graph.outputs;
  const tokens = { ...graph, outputs: [{ name: "y", ...output, shape: ["N", 8, 5] }] };
  const texts = createDataSet(waves([EXAMPLES, 5], 10, 1.5), new Int32Array(EXAMPLES), { name: "texts" });
  expect(() => withLossGraph("train", { graph: tokens, data: texts }, lossOf("huber"))).toThrow(
    /are \[N, 8, 5\], and it takes 2 axes of predictions and 2 of targets; for the loss of the next token/,
  );
});

test("refuses graphs that are no losses", () => {
  expect(() => withLossGraph("measure", { graph, data }, { graph, weights: new Map() })).toThrow(
    UnsupportedError,
  );
  const { graph: loss, weights } = lossOf("huber");
  const [first, second] = loss.inputs.map(({ name }) => name);
  const aliased = loss.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === first ? (second ?? name) : name)),
  }));
  expect(() =>
    withLossGraph("measure", { graph, data }, { graph: { ...loss, nodes: aliased }, weights }),
  ).toThrow(/must read its first input, the predictions, "x": export it with two tensors/);
});

test("a loss of another version of operators is adapted: axes move between attributes and inputs", async () => {
  const expected = golden.huber.hessian;
  for (const opset of [13, 17, 18]) {
    const older = { ...graph, opsets: new Map([["", opset]]) };
    const own = withLossGraph("measure", { graph: older, data }, lossOf("huber"));
    const { loss } = own;
    expectClose(await product(hessian({ graph: own.graph, engine }, network, own.data, { loss })), expected);
  }
  const { graph: loss, weights } = lossOf("huber");
  const ancient = { graph: { ...loss, opsets: new Map([["", 9]]) }, weights };
  expect(() => withLossGraph("measure", { graph, data }, ancient)).toThrow(
    /export the loss with opset_version=21/,
  );
});

test("the cross-entropy of PyTorch's exports is the loss of that name, with weights of classes or without", async () => {
  const labelled = createDataSet(
    waves([EXAMPLES, 5], 10, 1.5),
    Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3),
    { name: "waves" },
  );
  const node = { name: "loss", op: "SoftmaxCrossEntropyLoss", domain: "", outputs: ["loss"] };
  const lossGraph = (reduction: string, inputs: readonly string[]): Graph => ({
    name: "cross-entropy",
    opsets: new Map([["", 20]]),
    inputs: [
      { name: "x", dtype: "f32", shape: ["N", 3] },
      { name: "y", dtype: "i64", shape: ["N"] },
    ],
    weights: new Map(),
    constants: new Map([["w", createTensor("f32", [3], Float32Array.of(2, 2, 2))]]),
    nodes: [
      { ...node, inputs: ["x", "y", ...inputs], attributes: new Map([["reduction", string(reduction)]]) },
    ],
    outputs: [{ name: "loss" }],
  });
  const expected = await product(hessian({ graph, engine }, network, labelled));
  const usual = await train({ graph, engine }, network, labelled, { ...ONE_STEP, evaluationData: labelled });
  for (const [reduction, inputs, factor] of [
    ["mean", [], 1],
    ["none", [], 1],
    ["mean", ["w"], 1],
    ["none", ["w"], 2],
  ] as const) {
    const decoded = { graph: lossGraph(reduction, inputs), weights: new Map() };
    const { graph: whole, data: fed, loss } = withLossGraph("measure", { graph, data: labelled }, decoded);
    const out = await product(hessian({ graph: whole, engine }, network, fed, { loss }));
    const trained = await train({ graph: whole, engine }, network, fed, {
      ...ONE_STEP,
      loss,
      evaluationData: fed,
    });
    const [{ loss: training, evaluation } = { loss: Number.NaN, evaluation: undefined }] =
      trained.result.epochs;
    // Labels of classes take the place of the targets.
    expect(training / factor).toBeCloseTo(usual.result.loss, 5);
    expect((evaluation?.loss ?? Number.NaN) / factor).toBeCloseTo(usual.result.evaluation?.loss ?? 0, 5);
    expectClose(
      out.map((x) => x / factor),
      expected,
    );
  }
});
