import { at, type Checkpoint } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintWeights,
  lossFields,
  parameterNames,
  scoreBy,
} from "@isthmus/graph";
import { innerProducts } from "@isthmus/interpolation";
import { chooseStatistics } from "@isthmus/statistics";
import { type Journal, openJournal } from "@isthmus/tasks";
import { bindNetwork } from "../bind-network.ts";
import { createCorrectedEvaluator } from "../create-corrected-evaluator.ts";
import { describeMeasurement } from "../describe-measurement.ts";
import type {
  DirectionRobustness,
  LayerBarrier,
  LayerCut,
  LayerGroup,
  LayersResult,
} from "../layers-result.ts";
import type { BarrierNetworks } from "../measure-barrier.ts";
import { pairOrigin } from "../pair-origin.ts";
import { compareWithPredictions } from "./compare-predictions.ts";
import { createPointReader, type PointReader } from "./create-point-reader.ts";
import { type Cut, type CutPlan, placesOf, planCuts } from "./cut-points.ts";
import { countElements, groupLayers, type LayerTensors } from "./group-layers.ts";
import {
  type MeasureLayersOptions,
  type ResolvedLayersOptions,
  resolveLayersOptions,
} from "./layers-options.ts";
import { countPieces, measureCut } from "./measure-cut.ts";
import { measureRobustness } from "./measure-robustness.ts";
import { expandEnds } from "./predict-barriers.ts";

/**
 * Measures barriers layer by layer: of each group of parameters by itself, with the others as in A and as in
 * B; of all groups at once; and of sets of groups that grow in several orders.
 *
 * Every network is evaluated once, however many cuts pass through it, all on the same examples in the same
 * order. A and B are evaluated unchanged; a policy for statistics applies to every other network, including
 * networks that consist of whole layers of both. REPAIR gives every layer the average of its statistics in A
 * and B, weighted by the layer's own place. With `predict`, barriers are predicted from both ends, too (see
 * `predictBarriers`); with `directions`, cuts are compared with random directions of the same length.
 *
 * The cut of all groups is what `measureBarrier` measures. With a `journalPath`, a measurement that was
 * killed resumes where it stopped, and gives the same bytes.
 *
 * Differs from the reference implementation in four ways: it uses all examples instead of random batches; it
 * measures more places than the middle; it offers policies for statistics; beside barriers against the whole
 * networks, it computes barriers against the ends of the cut.
 * @throws MismatchError if a checkpoint does not fit the graph, or the journal is of another measurement
 * @throws InputError if the data do not fit the graph
 * @throws FormatError if the file at `journalPath` is not a journal
 * @throws UnsupportedError if the graph has no weights, or barriers are predicted and an operator has no
 *   gradient rule
 * @throws OutOfRangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureLayers, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const networks = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const { layers } = await measureLayers(architecture, networks, data, { points: 3 });
 * assert.equal(layers.length, 2);
 * ```
 */
export async function measureLayers(
  { graph: unscored, engine }: Architecture,
  [first, second]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MeasureLayersOptions = {},
): Promise<LayersResult> {
  const complete = resolveLayersOptions(options, data.size);
  const graph = scoreBy(unscored, complete.loss);
  const chosen = chooseStatistics(graph, complete.statistics, { data, ...complete });
  const resolved: ResolvedLayersOptions = { ...complete, ...chosen };
  const tensors = groupLayers(graph, resolved.groups);
  const [a, b] = await Promise.all([bindNetwork(graph, first), bindNetwork(graph, second)]);
  const networks = { graph, engine, a, b, data };
  const run = await describeRun(networks, tensors, resolved);
  const journal = await openJournal(resolved.journalPath, run);
  const subject = { ...networks, tensors, journal };
  return {
    kind: "layers",
    ...lossFields(graph, data),
    ...(await measureGroups(subject, await describeGroups(subject), resolved)),
    ...pairOrigin(chosen, networks),
    seed: resolved.seed,
    engine: engine.name,
  };
}

/** Describes all inputs that decide the results of a network, which do not depend on the measured orders. */
async function describeRun(
  networks: BarrierNetworks,
  groups: readonly LayerTensors[],
  options: ResolvedLayersOptions,
): Promise<Record<string, string | number>> {
  const { graph, a, b } = networks;
  return {
    ...describeMeasurement(networks, options),
    a: await fingerprintWeights(graph, a),
    b: await fingerprintWeights(graph, b),
    groups: groups.map(({ name, tensors }) => `${name}: ${tensors.join(" ")}`).join(", "),
    predict: options.predict,
    seed: options.seed,
  };
}

/** Two networks, their groups, and the journal of the measurement. */
interface Subject extends BarrierNetworks {
  readonly tensors: readonly LayerTensors[];
  readonly journal: Journal;
}

/** Computes the sizes of the groups, and the distance between A and B in their parameters. */
async function describeGroups({ graph, a, b, tensors }: Subject): Promise<LayerGroup[]> {
  const parameters = new Set(parameterNames(graph));
  const groups: LayerGroup[] = [];
  for (const group of tensors) {
    const groupParameters = group.tensors.filter((name) => parameters.has(name));
    const products = await innerProducts(
      [a, b],
      [
        [-1, 1],
        [1, 0],
        [0, 1],
      ],
      { tensors: groupParameters },
    );
    const product = (i: number, j: number) => at(at(products, i, "vector"), j, "vector");
    const norms = Math.sqrt(product(1, 1) * product(2, 2));
    groups.push({
      ...group,
      elements: countElements(graph, group),
      euclideanDistance: Math.sqrt(product(0, 0)),
      cosineSimilarity: norms > 0 ? product(1, 2) / norms : 0,
    });
  }
  return groups;
}

/** Part of the result that is measured group by group. */
type Measured = Pick<
  LayersResult,
  "groups" | "whole" | "layers" | "cumulative" | "predictions" | "robustness"
>;

async function measureGroups(
  subject: Subject,
  groups: readonly LayerGroup[],
  options: ResolvedLayersOptions,
): Promise<Measured> {
  const { graph, a, b, engine, data, journal } = subject;
  const { predict, directions, statistics, statisticsData, batchSize, signal } = options;
  const plan = planCuts(groups.length, options);
  const progress = countPieces(subject, plan, options);
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { attempt: "measure layers", statistics, statisticsData, ends: [a, b], batchSize, signal },
  );
  const reader = createPointReader({
    a,
    b,
    groups,
    evaluator,
    journal,
    sample: predict,
    signal,
    onEvaluated: progress.count,
  });
  try {
    const cuts = await measureCuts(reader, plan, { groups, points: options.points });
    progress.begin("directions");
    const robustness =
      directions === 0
        ? {}
        : { robustness: await measureDirections(subject, { reader, groups, ...cuts }, options) };
    if (predict === 0) return { groups, ...cuts, ...robustness };
    progress.begin("predicting");
    const ends = await expandEnds(
      { ...subject, groups },
      { loss: undefined, examples: predict, batchSize, signal, onProgress: progress.count },
    );
    const places = placesOf(options.points);
    const predictions = await compareWithPredictions(reader, { groups, ends, places, examples: predict });
    return { groups, ...cuts, predictions, ...robustness };
  } finally {
    await evaluator.release();
  }
}

async function measureCuts(
  reader: PointReader,
  plan: CutPlan,
  cutting: { readonly groups: readonly LayerGroup[]; readonly points: number },
): Promise<Pick<LayersResult, "whole" | "layers" | "cumulative">> {
  const measure = (cut: Cut): Promise<LayerCut> => measureCut(reader, cut, cutting);
  const nameOf = (group: number) => at(cutting.groups, group, "group").name;
  const whole = await measure(plan.whole);
  const layers: LayerBarrier[] = [];
  for (const [group, cuts] of plan.layers.entries()) {
    const [a, b] = [await measure(cuts.a), await measure(cuts.b)];
    const mean = (measured: "loss" | "error") =>
      (a.wholeEndpoints[measured] + b.wholeEndpoints[measured]) / 2;
    layers.push({ group: nameOf(group), a, b, barrier: { loss: mean("loss"), error: mean("error") } });
  }
  const cumulative: LayersResult["cumulative"][number][] = [];
  for (const { order, steps } of plan.cumulative) {
    const measured: { added: string; cut: LayerCut }[] = [];
    for (const { added, cut } of steps) measured.push({ added: nameOf(added), cut: await measure(cut) });
    cumulative.push({ order, steps: measured });
  }
  return { whole, layers, cumulative };
}

async function measureDirections(
  { graph, a }: Subject,
  {
    reader,
    groups,
    layers,
  }: {
    readonly reader: PointReader;
    readonly groups: readonly LayerGroup[];
    readonly layers: readonly LayerBarrier[];
  },
  { directions, seed }: ResolvedLayersOptions,
): Promise<DirectionRobustness[]> {
  const parameters = new Set(parameterNames(graph));
  const measured: DirectionRobustness[] = [];
  for (const [index, group] of groups.entries()) {
    const toOther = at(layers, index, "layer").a;
    const groupParameters = group.tensors.filter((name) => parameters.has(name));
    const task = { reader, a, group, parameters: groupParameters, toOther };
    measured.push(await measureRobustness(task, { draws: directions, seed }));
  }
  return measured;
}
