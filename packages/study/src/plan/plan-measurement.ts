import { MEASURE_BARRIER_DEFAULTS, MEASURE_LAYERS_DEFAULTS } from "@isthmus/barrier";
import type { TaskInputs } from "@isthmus/tasks";
import { MATCH_WEIGHTS_DEFAULTS } from "@isthmus/weight-matching";
import type {
  BarrierMeasurement,
  LayersMeasurement,
  MeasurementDescription,
  PairMeasurement,
} from "../description/study-description.ts";
import { ALIGNMENT_FILE, alignNetworks } from "../tasks/align-networks.ts";
import { measurePair } from "../tasks/measure-pair.ts";
import { measurePairLayers } from "../tasks/measure-pair-layers.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { planMerge } from "./plan-merge.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import type { Planner } from "./planner.ts";
import { type PlannedPair, selectPairs } from "./select-pairs.ts";

/** Parameters of a task that measures something on a pair of networks. */
interface PairParams<O> {
  readonly data: TaskData;
  readonly statisticsData?: TaskData;
  readonly options: O;
}

/** The kind of task that measures a pair, with the options of every such task of a measurement. */
interface PairWork<O> {
  readonly kind: StudyTaskKind<PairParams<O>>;
  readonly options: O & { readonly batchSize: number };
}

/**
 * Plans the tasks of a measurement: one for every pair of networks that it selects, after the alignment of
 * the pair if the measurement asks for one; or the tasks that merge networks.
 *
 * @throws InputError if the selection holds no pair, or too few networks, or the data do not fit the networks
 */
export function planMeasurement(
  entry: MeasurementDescription,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  switch (entry.kind) {
    case "merge":
      return planMerge(entry, context);
    case "layers":
      return planPairs(entry, context, layersWork(entry, context.planner.seed));
    default:
      return planPairs(entry, context, barrierWork(entry));
  }
}

function barrierWork(entry: BarrierMeasurement) {
  const { points, refine, path, statistics, batchSize } = { ...MEASURE_BARRIER_DEFAULTS, ...entry };
  return { kind: measurePair, options: { points, refine, path, statistics, batchSize } };
}

function layersWork(entry: LayersMeasurement, seed: number) {
  const settings = { ...MEASURE_LAYERS_DEFAULTS, ...entry };
  const { groups, orders, points, statistics, predict, directions, batchSize } = settings;
  const options = { groups, orders, points, statistics, predict, directions, batchSize, seed };
  return { kind: measurePairLayers, options };
}

async function planPairs<O>(
  entry: PairMeasurement,
  { networks, planner, variables }: MeasurementContext,
  { kind, options }: PairWork<O>,
): Promise<readonly PlannedMeasurement[]> {
  const pairs = selectPairs(networks, entry);
  const { align = "none", statisticsData } = entry;
  const fitting = {
    architectures: new Set(pairs.map(({ a }) => a.architecture)),
    batchSize: options.batchSize,
  };
  const data = await planner.openFor(entry.data, fitting);
  const params: PairParams<O> = {
    data,
    ...(statisticsData !== undefined && { statisticsData: await planner.openFor(statisticsData, fitting) }),
    options,
  };
  const manner = align === "none" ? "" : ", aligned";
  return pairs.map((pair) => {
    const label = `${kind.name} of ${pair.a.label} and ${pair.b.label}${manner}, ${data.name}`;
    const { key } = planner.add(kind, { params, inputs: planFiles(pair, entry, planner), label });
    return { variables: { ...pair.variables, ...variables }, task: key };
  });
}

/** Returns the files of a pair; plans its alignment first, and adds the file of that, if one is asked for. */
function planFiles(
  { a, b }: PlannedPair,
  { align = "none", restarts = MATCH_WEIGHTS_DEFAULTS.restarts }: PairMeasurement,
  planner: Planner,
): TaskInputs {
  const exportedFrom = a.exportedFrom ?? b.exportedFrom;
  const files: TaskInputs = {
    graph: [a.graph],
    a: [a.weights],
    b: [b.weights],
    ...(exportedFrom !== undefined && { exportedFrom: [exportedFrom] }),
  };
  if (align === "none") return files;
  const { key } = planner.add(alignNetworks, {
    params: { method: align, seed: planner.seed, restarts },
    inputs: files,
    label: `align ${b.label} to ${a.label}`,
  });
  return { ...files, alignment: [{ task: key, file: ALIGNMENT_FILE }] };
}
