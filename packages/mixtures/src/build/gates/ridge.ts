import { at, type Checkpoint, defineCheckpoint, entry, InputError, sumOf } from "@isthmus/core";
import { listDataFiles } from "@isthmus/data";
import type { Graph } from "@isthmus/graph";
import { createProducts } from "@isthmus/linear-algebra";
import { dataContext, fitToData, openExamples, readArchitecture } from "@isthmus/zoo";
import { addFeatures, type RandomFeatures } from "../../adapters/random-features.ts";
import { FIT_ROUTERS_DEFAULTS } from "../../routers/fit-routers-options.ts";
import { type RegressedRouter, regressRouters } from "../../routers/regress-routers.ts";
import { type DenseModel, UNIT_PARTS, unitName } from "../dense-model.ts";
import {
  engineOf,
  type GateContext,
  type GatedExpert,
  type GateMode,
  type LayerGates,
} from "../gate-mode.ts";
import { findHeadInput } from "./head-input.ts";

/** Key of experts that names their texts. */
const DATA = "data";

/** Share of the mean of the diagonal that is added to it for random features, many of which are alike. */
const FEATURES_RIDGE = 1e-5;

/** Score of a shared expert, whose gate is a sigmoid: nearly all of its results are added. */
const OPEN = 8;

/**
 * Gates by ridge regression from hidden states to the expert whose text they are from; `solveRouter` has the
 * formula.
 */
export const ridgeGates: GateMode = {
  name: "ridge",
  description: "Ridge regression from the hidden states of each expert's text to that expert (DUME).",
  needsPrompts: false,
  expertKeys: {
    [DATA]: {
      shape: { kind: "text" },
      description: "Text of the expert for gate_mode ridge: a name of examples, such as text:code.txt:train.",
    },
  },
  files: async (experts) => {
    const paths = await Promise.all(routed(experts).map((expert) => listDataFiles(nameOf(expert))));
    return paths.flat().flatMap(({ files }) => files);
  },
  check: (experts) => {
    for (const expert of routed(experts)) nameOf(expert);
  },
  compute,
};

function routed(experts: readonly GatedExpert[]): readonly GatedExpert[] {
  return experts.filter(({ isShared }) => !isShared);
}

function nameOf({ recipe, model }: GatedExpert): string {
  const name = recipe[DATA];
  if (typeof name === "string" && name !== "") return name;
  throw new InputError(
    `Cannot make gates by ridge regression as each expert must name its text: "${model.name}" has no key "data", such as data: text:code.txt:train`,
    { input: model.name },
  );
}

/**
 * Finds the gates of all routers; the text of each expert runs through the base with that expert's networks,
 * or through the base alone if one router reads its last hidden states.
 */
async function compute({
  base,
  experts,
  reads,
  features,
  signal,
  onProgress,
  onNote,
  ...given
}: GateContext): Promise<readonly LayerGates[]> {
  const engine = engineOf(given, "ridge");
  const read = await readArchitecture(base.directory, {});
  const context = dataContext(read);
  const texts = await Promise.all(routed(experts).map((expert) => openExamples(nameOf(expert), context)));
  const fitted = fitToData(read, at(texts, 0, "text")).graph;
  const { graph, values } =
    reads === "last"
      ? readLast(fitted, features)
      : { graph: fitted, values: findUnitInputs(fitted, base.layers) };
  const runs = routed(experts).map(({ model }, i) => ({
    graph,
    engine,
    text: at(texts, i),
    network: reads === "last" ? base.checkpoint : withUnits(base, model),
  }));
  const products = createProducts(engine);
  const { through: _, ...defaults } = FIT_ROUTERS_DEFAULTS;
  try {
    const { routers } = await regressRouters(runs, values, {
      ...defaults,
      ...(features === undefined ? {} : { ridge: FEATURES_RIDGE }),
      signal,
      products,
      onProgress,
    });
    const accuracies = routers.map((router) => sumOf(router.accuracies) / router.accuracies.length);
    onNote(`Of held tokens ${formatRange(accuracies)} go to the expert of their text, by router`);
    return routers.map((router) => gatesOf(router, experts));
  } finally {
    await products.release();
  }
}

/** Finds the last hidden states, or adds the features of them that the router reads. */
function readLast(
  graph: Graph,
  features: RandomFeatures | undefined,
): { readonly graph: Graph; readonly values: readonly string[] } {
  const rows = findHeadInput(graph);
  if (features === undefined) return { graph, values: [rows] };
  const added = addFeatures(graph, rows, features);
  return { graph: added.graph, values: [added.features] };
}

function formatRange(shares: readonly number[]): string {
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map(
    (share) => `${(100 * share).toFixed(0)} %`,
  );
  return least === most ? `${least}` : `${least} to ${most}`;
}

/**
 * Returns the rows of experts, and for shared experts the sum of all rows: it regresses to 1 for all texts.
 */
function gatesOf({ weight, scale }: RegressedRouter, experts: readonly GatedExpert[]): LayerGates {
  const { rows, columns: width, data } = weight;
  const gates = new Float32Array(experts.length * width);
  let next = 0;
  for (const [place, { isShared }] of experts.entries()) {
    const row = isShared ? undefined : next++;
    for (let i = 0; i < width; i++) {
      const score = row === undefined ? undefined : scale * at(data, row * width + i);
      const sum = () => sumOf(Array.from({ length: rows }, (_, k) => at(data, k * width + i)));
      gates[place * width + i] = score ?? OPEN * sum();
    }
  }
  return gates;
}

/** Returns the base with the feed-forward networks of another model. */
function withUnits(base: DenseModel, model: DenseModel): Checkpoint {
  const units = new Set(
    Array.from({ length: base.layers }, (_, layer) => UNIT_PARTS.map((part) => unitName(layer, part))).flat(),
  );
  const sourceOf = (name: string) => (units.has(name) ? model : base).checkpoint;
  const names = [...base.checkpoint.tensors.keys()];
  return defineCheckpoint({
    source: `${base.name} with experts of ${model.name}`,
    tensors: new Map(names.map((name) => [name, entry(sourceOf(name).tensors, name, "tensor")])),
    metadata: {},
    inputs: [base.checkpoint, model.checkpoint],
    readInto: (name, begin, out) => sourceOf(name).readRangeInto(name, begin, out),
  });
}

/** Finds the value that the feed-forward network of each layer reads, which is what a router reads. */
function findUnitInputs(graph: Graph, layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => {
    const weight = unitName(layer, "gate_proj");
    return at(graph.nodes.find(({ inputs }) => inputs[1] === weight)?.inputs ?? [], 0, weight);
  });
}
