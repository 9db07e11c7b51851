import type { Checkpoint } from "@isthmus/core";
import { fingerprintWeights } from "@isthmus/graph";
import { innerProducts } from "@isthmus/interpolation";
import { chooseStatistics } from "@isthmus/statistics";
import { bindNetwork, parameterNames } from "../bind-network.ts";
import { createCorrectedEvaluator } from "../create-corrected-evaluator.ts";
import { describeMeasurement } from "../describe-measurement.ts";
import { type Journal, openJournal } from "../journal.ts";
import type {
  DirectionRobustness,
  LayerBarrier,
  LayerCut,
  LayerGroup,
  LayersResult,
} from "../layers-result.ts";
import type { BarrierNetworks } from "../measure-barrier.ts";
import { compareWithPredictions } from "./compare-predictions.ts";
import { createPointReader, type PointReader } from "./create-point-reader.ts";
import { type Cut, type CutPlan, keyOf, listCuts, placesOf, planCuts, sharesAt } from "./cut-points.ts";
import { groupLayers, type LayerTensors } from "./group-layers.ts";
import {
  type LayersProgress,
  type MeasureLayersOptions,
  type ResolvedLayersOptions,
  resolveLayersOptions,
} from "./layers-options.ts";
import { measureCut } from "./measure-cut.ts";
import { directionKey, measureRobustness, PLACES_IN_DIRECTION } from "./measure-robustness.ts";
import { expandEnds, expansionKeys, PREDICT_BARRIERS_DEFAULTS } from "./predict-barriers.ts";

/**
 * Measures barriers layer by layer: of each group of parameters by itself, with the others as in A and as in B, of all at once, and of
 * groups that are added up in several orders.
 *
 * Every network is evaluated once, however many cuts pass through it, all on the same examples in the same order. A and B are taken
 * as they are; a policy for statistics concerns every other network, those with whole layers of both among them. REPAIR gives every
 * layer the statistics that A's and B's have on average by the layer's own place. With `predict`, barriers are predicted from both
 * ends, too (see `predictBarriers`); with `directions`, cuts are compared with random directions of the same length.
 *
 * The cut of all groups is what `measureBarrier` measures. A measurement with a `journalPath` that was killed goes on where it was, to
 * the same bytes.
 *
 * Differs from the reference implementation in: all examples instead of random batches; more places than the middle; statistics as
 * asked; barriers against the ends of the cut beside those against the whole networks.
 * @throws MismatchError if a checkpoint does not fit the graph, or the journal is of another measurement
 * @throws InputError if the data do not fit the graph
 * @throws FormatError if the journal is something else
 * @throws UnsupportedError if the graph has no weights, or barriers are predicted and an operator has no gradient rule
 * @throws RangeError if an option is out of range
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024
 */
export async function measureLayers(
  networks: BarrierNetworks,
  options: MeasureLayersOptions = {},
): Promise<LayersResult> {
  const { graph, engine, data } = networks;
  const asked = resolveLayersOptions(options, data.size);
  const chosen = chooseStatistics(graph, asked.statistics, { data, ...asked });
  const resolved: ResolvedLayersOptions = { ...asked, ...chosen };
  const tensors = groupLayers(graph, resolved.groups);
  const [a, b] = await Promise.all([bindNetwork(graph, networks.a), bindNetwork(graph, networks.b)]);
  const run = await describeRun({ ...networks, a, b }, tensors, resolved);
  const journal = await openJournal(resolved.journalPath, run);
  const subject = { ...networks, a, b, tensors, journal };
  const { statistics, statisticsData, seed } = resolved;
  return {
    kind: "layers",
    ...(await measureGroups(subject, await describeGroups(subject), resolved)),
    statistics,
    ...(statisticsData && { statisticsData: statisticsData.name, statisticsExamples: statisticsData.size }),
    examples: data.size,
    data: data.name,
    a: networks.a.source,
    b: networks.b.source,
    seed,
    engine: engine.name,
  };
}

/** All that decides the numbers; which orders are measured does not decide those of a network. */
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

interface Subject extends BarrierNetworks {
  readonly tensors: readonly LayerTensors[];
  readonly journal: Journal;
}

/** Sizes of the groups, and how far A and B are apart in their parameters. */
async function describeGroups({ graph, a, b, tensors }: Subject): Promise<LayerGroup[]> {
  const parameters = new Set(parameterNames(graph));
  const groups: LayerGroup[] = [];
  for (const group of tensors) {
    const own = group.tensors.filter((name) => parameters.has(name));
    const products = await innerProducts(
      [a, b],
      [
        [-1, 1],
        [1, 0],
        [0, 1],
      ],
      { tensors: own },
    );
    const at = (i: number, j: number) => products[i]?.[j] ?? 0;
    const norms = Math.sqrt(at(1, 1) * at(2, 2));
    groups.push({
      ...group,
      elements: group.tensors.reduce((sum, name) => sum + elementsOf(a, name), 0),
      euclideanDistance: Math.sqrt(at(0, 0)),
      cosineSimilarity: norms > 0 ? at(1, 2) / norms : 0,
    });
  }
  return groups;
}

function elementsOf(network: Checkpoint, name: string): number {
  return (network.tensors.get(name)?.shape ?? []).reduce((product, extent) => product * extent, 1);
}

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
  const progress = createProgress(subject, plan, options);
  const evaluator = await createCorrectedEvaluator(
    { graph, engine, data },
    { attempt: "measure layers", statistics, statisticsData, ends: [a, b], batchSize, signal },
  );
  const reader = createPointReader({
    ...{ a, b, groups, evaluator, journal, sample: predict, signal, onEvaluated: progress.count },
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
      { ...PREDICT_BARRIERS_DEFAULTS, examples: predict, batchSize, signal, onProgress: progress.count },
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
  const nameOf = (group: number) => cutting.groups[group]?.name ?? "";
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
    const toOther = layers[index]?.a;
    if (toOther === undefined) continue;
    const own = group.tensors.filter((name) => parameters.has(name));
    const task = { reader, a, group, parameters: own, toOther };
    measured.push(await measureRobustness(task, { draws: directions, seed }));
  }
  return measured;
}

/** Counts what is done, of all networks and passes that there will be; what the journal has is done. */
function createProgress(
  { tensors, journal }: Subject,
  plan: CutPlan,
  { points, predict, directions, onProgress }: ResolvedLayersOptions,
): { readonly count: () => void; readonly begin: (phase: LayersProgress["phase"]) => void } {
  const count = tensors.length;
  const draws = Array.from({ length: directions }, (_, draw) => draw);
  const keys = new Set([
    ...listCuts(plan).flatMap((cut) => placesOf(points).map((t) => keyOf(sharesAt(cut, t, count)))),
    ...tensors.flatMap(({ name }) =>
      draws.flatMap((draw) => PLACES_IN_DIRECTION.map((place) => directionKey(name, draw, place))),
    ),
    ...(predict > 0 ? expansionKeys(count) : []),
  ]);
  let done = [...keys].filter((key) => journal.has(key)).length;
  let phase: LayersProgress["phase"] = "measuring";
  return {
    count: () => {
      done += 1;
      onProgress?.({ phase, done, total: keys.size });
    },
    begin: (next) => {
      phase = next;
    },
  };
}
