import { MEASURE_LANDSCAPE_DEFAULTS } from "@isthmus/landscape";
import type { TaskInputs } from "@isthmus/tasks";
import type { LandscapeChoice, LandscapeMeasurement } from "../description/network-measurement.ts";
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
 * Plans the tasks of landscapes, one for each network that the entry selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export function planEach(
  entry: LandscapeMeasurement,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  return planWork(entry, context, landscapeWork(entry, context));
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
  { of, where, data }: LandscapeMeasurement,
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
