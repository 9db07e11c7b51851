import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decomposeBarrier, mapNetworks, measureBarrier, measureLayers, measurePlane } from "@isthmus/barrier";
import {
  measureCurve,
  measureDropoutPath,
  measureDropoutStability,
  measureMechanisms,
  measureWalkedPath,
  trainCurve,
} from "@isthmus/connectivity";
import { type Checkpoint, createTensor, openCheckpoint } from "@isthmus/core";
import { measureCurvature, measureLandscape, trackCurvature } from "@isthmus/curvature";
import { createDataSet, openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { compareEnsembles, measureAttack } from "@isthmus/ensemble";
import { type Architecture, bindNetworks, type DataSet, type LossName } from "@isthmus/graph";
import { type DrawableResult, describeResult, readResult, renderResultPage } from "@isthmus/report";
import { measureSimilarity } from "@isthmus/similarity";
import { measurePruning } from "@isthmus/sparsity";
import { findStar, measureStar } from "@isthmus/star-domain";
import { discoverSymmetries } from "@isthmus/symmetry";
import { openArchitecture } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("fixtures/losses/", import.meta.url));
const engine = createOnnxRuntimeEngine();

/** Networks of one architecture, and examples. */
interface Subject {
  readonly architecture: Architecture;
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  readonly data: DataSet;
}

const opened: Checkpoint[] = [];
afterAll(() => Promise.all(opened.map((checkpoint) => checkpoint.close())));

async function open(name: string, loss?: LossName): Promise<Subject> {
  const files = await Promise.all(
    ["a", "b"].map((network) => openCheckpoint(`${FOLDER}${name}-${network}.safetensors`)),
  );
  opened.push(...files);
  const read = await openArchitecture(`${FOLDER}${name}-dynamo.onnx`, engine, { loss });
  const { graph, networks } = await bindNetworks({ graph: read.graph, weights: read.carried }, files);
  const [a, b] = networks.map(({ network }) => network);
  if (a === undefined || b === undefined) throw new Error("two networks were bound");
  return {
    architecture: { graph, engine },
    a,
    b,
    data: await openDataSet(`safetensors:${FOLDER}${name}.safetensors`),
  };
}

/** What measures networks by a loss. */
type Measure = (subject: Subject, loss: LossName | undefined) => Promise<object>;

const few = { seed: 0, epochs: 1, batch: 8 } as const;
const MEASUREMENTS: Readonly<Record<string, Measure>> = {
  barrier: ({ architecture, a, b, data }, loss) =>
    measureBarrier(architecture, [a, b], data, { points: 3, bootstrap: 5, loss }),
  layers: ({ architecture, a, b, data }, loss) =>
    measureLayers(architecture, [a, b], data, { points: 3, predict: 8, directions: 1, loss }),
  decomposition: ({ architecture, a, b, data }, loss) =>
    decomposeBarrier(architecture, [a, b], data, { worst: 2, loss }),
  plane: ({ architecture, a, b, data }, loss) => {
    const middle = createMiddle(a);
    const models = [a, b, middle].map((network, i) => ({ label: String(i), network }));
    return measurePlane(architecture, models as never, data, { points: 2, loss });
  },
  map: ({ architecture, a, b, data }, loss) =>
    mapNetworks(architecture, [a, b], data, { seed: 0, points: 3, loss }),
  landscape: ({ architecture, a, data }, loss) =>
    measureLandscape(architecture, { network: { label: "a", network: a } }, data, { points: 2, loss }),
  curvature: ({ architecture, a, data }, loss) =>
    measureCurvature(architecture, a, data, { count: 1, traceProducts: 6, runs: 0, loss }),
  curve: async ({ architecture, a, b, data }, loss) => {
    const trained = await trainCurve(architecture, [a, b], data, { ...few, ...(loss && { loss }) });
    return measureCurve(architecture, trained, data, { points: 3, loss });
  },
  star: async ({ architecture, a, b, data }, loss) => {
    const options = { ...few, start: undefined, ...(loss && { loss }) };
    const { star } = await findStar(architecture, [a, b], data, options);
    const networks = { star, anchors: [a, b], heldOut: [] };
    return measureStar(architecture, networks, data, { seed: 0, points: 3, loss });
  },
  "dropout-path": async ({ architecture, a, b, data }, loss) => {
    const symmetries = await discoverSymmetries(architecture);
    return measureDropoutPath({ ...architecture, symmetries }, [a, b], data, {
      trials: 1,
      pointsPerLine: 1,
      loss,
    });
  },
  "dropout-stability": async ({ architecture, a, data }, loss) => {
    const symmetries = await discoverSymmetries(architecture);
    return measureDropoutStability({ ...architecture, symmetries }, a, data, { trials: 1, loss });
  },
  "walked-path": ({ architecture, a, b, data }, loss) =>
    measureWalkedPath(
      architecture,
      [a, b],
      { training: data, evaluation: data },
      { moves: 2, points: 2, batch: 8, ...(loss && { loss }) },
    ),
  pruning: ({ architecture, a, b, data }, loss) =>
    measurePruning(architecture, { before: a, after: b }, data, { ...(loss && { loss }) }),
};

/** Networks that lie on no line: the first with its weights in another order. */
function createMiddle(network: Checkpoint): Checkpoint {
  const { read } = network;
  return {
    ...network,
    async read(name) {
      const tensor = await read.call(network, name);
      return { ...tensor, data: (tensor.data as Float32Array).slice().reverse() };
    },
  };
}

describe.each(Object.entries(MEASUREMENTS))("%s", (kind, measure) => {
  let regression: Subject;
  beforeAll(async () => {
    regression = await open("regression");
  });

  test("measures by the loss that is named, and says so", async () => {
    const usual = await measure(regression, undefined);
    expect(usual).toMatchObject({ lossKind: "mean-squared-error", lossUnit: "squared units" });
    const named = await measure(regression, "mean-absolute-error");
    expect(named).toMatchObject({ lossKind: "mean-absolute-error", lossUnit: "units" });
    const { lossKind: _, lossUnit: __, ...numbers } = named as Record<string, unknown>;
    const { lossKind: ___, lossUnit: ____, ...others } = usual as Record<string, unknown>;
    expect(JSON.stringify(numbers)).not.toBe(JSON.stringify(others));
    // A loss that the graph names is the same.
    const byGraph = await measure(await open("regression", "mean-absolute-error"), undefined);
    expect(JSON.stringify(byGraph)).toBe(JSON.stringify(named));
  });

  test("refuses to measure by none", async () => {
    await expect(measure(regression, "none")).rejects.toThrow(
      /by the loss none (of graph .* as something must be minimised|as nothing would be measured: name one of)/,
    );
  });

  // What the others return is a part of a result.
  test.skipIf(kind === "pruning" || kind === "decomposition")("is read again from a file", async () => {
    const result = await measure(regression, "mean-absolute-error");
    const path = join(await mkdtemp(join(tmpdir(), "isthmus-")), "result.json");
    await writeFile(path, JSON.stringify(result));
    const { lossKind, lossUnit } = result as { lossKind?: string; lossUnit?: string };
    expect(await readResult(path)).toMatchObject({ lossKind, lossUnit });
    expect([lossKind, lossUnit]).toEqual(["mean-absolute-error", "units"]);
  });
});

test("a barrier is drawn without errors that were not measured, in its own unit", async () => {
  const { architecture, a, b, data } = await open("regression");
  const result = await measureBarrier(architecture, [a, b], data, { points: 3 });
  const page = await renderResultPage({ result, title: "regression" });
  expect(page).toMatch(
    /the loss rises by up to [\d.]+ squared units above the straight line between its ends\./,
  );
  expect(page).not.toMatch(/NaN|error barrier/);
  const level = await measureBarrier(architecture, [a, a], data, { points: 3 });
  expect((await describeResult(level)).summary).toBe(
    "Between the two networks the loss does not rise above the straight line between its ends.",
  );
});

test("curvature along a training is drawn in the unit of the loss that was trained", async () => {
  const { architecture, a, data } = await open("regression");
  const tracker = trackCurvature(architecture, data, { steps: 2, examples: 8 });
  await tracker.measure(0, a);
  const result = tracker.history();
  expect(result).toMatchObject({ lossKind: "mean-squared-error", lossUnit: "squared units" });
  const page = await renderResultPage({ result, title: "regression" });
  expect(page).toContain("Loss (squared units)");
  expect(page).not.toContain("nats");
});

test.each(["plane", "landscape"])("a %s is drawn without errors that were not measured", async (kind) => {
  const result = await MEASUREMENTS[kind]!(await open("regression"), undefined);
  const { sections } = await describeResult(result as DrawableResult);
  const drawn = sections.flatMap(({ figures }) => figures.map(({ name }) => name));
  expect(drawn.filter((name) => name.includes("loss")).length).toBeGreaterThan(0);
  expect(drawn.filter((name) => name.includes("error"))).toEqual([]);
});

describe("what needs classes, or right and wrong", () => {
  test("is refused plainly where there are numbers", async () => {
    const { architecture, a, b, data } = await open("regression");
    await expect(compareEnsembles(architecture, [a, b], data)).rejects.toThrow(
      /labels must be classes, one whole number|as probabilities of classes are needed/,
    );
    const attacked = { sources: [{ name: "a", networks: [a] }], targets: [b] };
    await expect(measureAttack(architecture, attacked, data)).rejects.toThrow(/labels must be classes/);
    await expect(measureMechanisms(architecture, [a, b], { plain: data }, { points: 3 })).rejects.toThrow(
      /by the loss mean-squared-error as predictions must be right or wrong: only cross-entropy, binary-cross-entropy/,
    );
    await expect(
      measureBarrier(architecture, [a, b], data, { points: 3, temperature: true }),
    ).rejects.toThrow(/as probabilities of classes are needed/);
  });

  test("works without any labels where none are needed", async () => {
    const { architecture, a, b, data } = await open("regression", "none");
    const { inputs } = data.read(0, data.size);
    const unlabelled = createDataSet(
      createTensor("f32", inputs.shape, inputs.data as Float32Array),
      undefined,
    );
    const [one, other] = [a, b].map((network) => ({ ...architecture, network }));
    const { tables } = await measureSimilarity(one!, other!, unlabelled, { measures: ["linear-cka"] });
    expect(tables.length).toBeGreaterThan(0);
  });
});
