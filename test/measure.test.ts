import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { measure } from "@isthmus/measurements/open";
import { expect, it } from "vitest";
import { INPUTS } from "./golden/command-lines/run-line.ts";
import { findDifference } from "./helpers/find-difference.ts";

const pathOf = (name: string) => join(INPUTS, name);
const [A, B, C] = [pathOf("a.safetensors"), pathOf("b.safetensors"), pathOf("c.safetensors")] as const;
const EXAMPLES = `safetensors:${pathOf("examples.safetensors")}`;
const [TRAIN, TEST] = [`${EXAMPLES}:train`, `${EXAMPLES}:test`];
const [GREY_TEST, FEW] = [`${TEST}+cue=grey`, `${TRAIN}@12`];

const engine = createOnnxRuntimeEngine();
const on = { engine, graph: pathOf("graph.onnx"), data: TEST };
const training = { epochs: 1, batch: 8, seed: 1, threads: 1 };

/** Measures as each command line of golden/command-lines does that has no more to it than a measurement. */
const MEASURED: Readonly<Record<string, () => Promise<object>>> = {
  layers: () => measure("layers", [A, B], { ...on, points: 3 }),
  "layers-predicted": () =>
    measure("layers", [A, B], {
      ...on,
      points: 3,
      align: { method: "weight", seed: 0 },
      predict: 8,
      directions: 2,
      orders: ["shallow-to-deep", "random"],
    }),
  plane: () => measure("plane", [A, B, C], { ...on, points: 3 }),
  map: () => measure("map", [A, B, C], { ...on, points: 3 }),
  curvature: () =>
    measure("curvature", A, {
      ...on,
      examples: 12,
      count: 2,
      steps: 200,
      traceProducts: 6,
      runs: 1,
      by: "layer",
      sharpness: {},
      criticalSharpness: {},
      settling: { sizes: [4, 8] },
    }),
  ensemble: () =>
    measure("ensemble", [A, B, C], { ...on, beside: { selectionData: FEW }, oodData: [GREY_TEST] }),
  attack: () => measure("attack", [A, B], { ...on, surrogate: [C], epsilon: 0.1, steps: 2 }),
  landscape: () => measure("landscape", A, { ...on, points: 3 }),
  "dropout-stability": () => measure("dropout-stability", A, { ...on, shares: [0.25, 0.5], trials: 2 }),
  "dropout-path": () => measure("dropout-path", [A, B], { ...on, trials: 1, pointsPerLine: 1 }),
  "walked-path": () =>
    measure("walked-path", [A, B], { ...on, moves: 2, trainSteps: 2, points: 4, beside: { trainOn: TRAIN } }),
  similarity: () => measure("similarity", [A, B], { ...on, anchors: 6, neighbours: 3 }),
  mechanisms: () => measure("mechanisms", [A, B], { ...on, cue: "grey", points: 3 }),
  curve: () => measure("curve", [A, B], { ...on, data: TRAIN, testData: TEST, points: 5, ...training }),
  pareto: () =>
    measure("pareto", [], {
      engine,
      net: "mlp:4",
      data: TRAIN,
      evalData: TEST,
      points: 3,
      scalarised: 2,
      ...training,
    }),
  "intrinsic-dimension": () =>
    measure("intrinsic-dimension", [], {
      engine,
      net: "mlp:4",
      data: TRAIN,
      evalData: TEST,
      seeds: [1],
      first: 8,
      resolution: 1,
      epochs: 1,
      batch: 8,
      threads: 1,
    }),
};

/** Properties of results that only the command adds: where it wrote, and by what. */
const ADDED = ["outputs", "provenance"];

it.each(Object.entries(MEASURED))("measure() returns what the command prints of %s", async (name, run) => {
  const golden = readFileSync(
    new URL(`golden/command-lines/results/${name}.json.golden`, import.meta.url),
    "utf8",
  );
  const printed = Object.entries(JSON.parse(golden) as object).filter(([key]) => !ADDED.includes(key));
  const text = JSON.stringify(await run())
    .replaceAll(`${INPUTS}/`, "")
    .replaceAll(
      /"(seconds|stepSeconds|examplesPerSecond|peakBytes)": ?(\{[^}]*\}|[\d.e+-]+)/g,
      '"$1":"TIME"',
    );
  expect(findDifference(Object.fromEntries(printed), JSON.parse(text))).toBeUndefined();
});
