import { MEASURE_CURVATURE_DEFAULTS } from "@isthmus/curvature";
import { MEASURE_LANDSCAPE_DEFAULTS } from "@isthmus/landscape";
import type { TaskInputs } from "@isthmus/tasks";
import type {
  CurvatureMeasurement,
  EachMeasurement,
  LandscapeChoice,
  LandscapeMeasurement,
} from "../description/network-measurement.ts";
import { measureNetworkCurvature } from "../tasks/measure-network-curvature.ts";
import { measureNetworkLandscape } from "../tasks/measure-network-landscape.ts";
import type { StudyTaskKind, TaskData } from "../tasks/task-kind.ts";
import { selectNetworks } from "./network-cells.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";
import { filesOf, type PlannedNetwork } from "./planned-network.ts";
import { snapshotsBefore } from "./snapshots-before.ts";

/** Parameters of a task that measures something on one network. */
interface EachParams<O> {
  readonly data: TaskData;
  readonly options: O;
}

/** The kind of task that measures a network, with the options of every such task of a measurement. */
interface EachWork<O> {
  readonly kind: StudyTaskKind<EachParams<O>>;
  readonly options: O & { readonly batchSize: number };
  /** Returns further inputs of the task of a network. @defaultValue none */
  readonly inputsOf?: (network: PlannedNetwork) => TaskInputs;
}

/**
 * Plans the tasks of a measurement of networks by themselves, one for each that it selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export function planEach(
  entry: EachMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const { seed } = context.planner;
  switch (entry.kind) {
    case "curvature":
      return planWork(entry, context, curvatureWork(entry, seed));
    default:
      return planWork(entry, context, landscapeWork(entry, context));
  }
}

function curvatureWork(
  { of: _, where: __, data: ___, kind: ____, ...choice }: CurvatureMeasurement,
  seed: number,
) {
  const { batchSize, operator, examples, count, tolerance, steps } = MEASURE_CURVATURE_DEFAULTS;
  const { traceProducts, relativeError, runs, densitySteps } = MEASURE_CURVATURE_DEFAULTS;
  const precision = { count, tolerance, steps, traceProducts, relativeError, runs, densitySteps };
  const options = { batchSize, operator, examples, ...precision, ...choice, seed };
  return { kind: measureNetworkCurvature, options };
}

function landscapeWork(
  { of, where: _, data: __, kind: ___, ...choice }: LandscapeMeasurement,
  { networks, planner }: MeasurementContext,
): EachWork<LandscapeChoice & { readonly seed: number }> {
  const { batchSize, statistics, hessianExamples, steps, local } = MEASURE_LANDSCAPE_DEFAULTS;
  const options = { batchSize, statistics, hessianExamples, steps, local, ...choice, seed: planner.seed };
  const isOfSnapshots = choice.directions === "trajectory" || choice.directions === "initialization";
  return {
    kind: measureNetworkLandscape,
    options,
    ...(isOfSnapshots && {
      inputsOf: (network) => ({
        snapshots: snapshotsBefore(network, networks(of), choice.directions).map(({ weights }) => weights),
      }),
    }),
  };
}

async function planWork<O>(
  { of, where, data }: EachMeasurement,
  { networks, planner, variables }: MeasurementContext,
  { kind, options, inputsOf }: EachWork<O>,
): Promise<readonly PlannedMeasurement[]> {
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const fitting = { architectures, batchSize: options.batchSize };
  const { description } = await planner.openFor(data, fitting);
  return selected.map((network) => {
    const { key } = planner.add(kind, {
      params: { data: description, options },
      inputs: { ...filesOf(network), ...inputsOf?.(network) },
      label: `${kind.name} of ${network.label}, ${data}`,
    });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}
