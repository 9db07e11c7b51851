import type { AnyField, Keyed } from "@isthmus/core";
import type { AnyMeasurement } from "@isthmus/findings";
import type { Graph } from "@isthmus/graph";
import type { NetworkMeasurement } from "../description/network-measurement.ts";
import type { PathMeasurement } from "../description/path-measurements.ts";
import { selectNetworks } from "../plan/network-cells.ts";
import { labelOfPair, planEachPair } from "../plan/plan-each-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "../plan/planned-measurement.ts";
import { filesOf } from "../plan/planned-network.ts";
import type { Planner } from "../plan/planner.ts";
import { selectPairs } from "../plan/select-pairs.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import type { AnyEntry } from "./entry.ts";
import { type MeasurementParams, measurementTask } from "./measurement-task.ts";

/**
 * Plans the tasks of a measurement: one for each subject that its entry selects.
 * @throws InputError if it selects none, or the data do not fit the networks
 */
export async function planEntry(
  measurement: AnyMeasurement,
  entry: AnyEntry,
  context: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const kind = measurementTask(measurement);
  const { networks, planner, variables } = context;
  if (measurement.subject === "pair" || measurement.subject === "unlike-pair") {
    const selection = entry as PathMeasurement;
    const architectures = new Set(selectPairs(networks, selection).map(({ a }) => a.architecture));
    const params = await paramsOf(measurement, { entry, architectures, planner });
    return planEachPair(kind, selection, context, (pair) => ({
      params,
      label: labelOfPair(measurement.kind, pair, selection.align, entry.data),
    }));
  }
  const { of, where } = entry as NetworkMeasurement;
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const params = await paramsOf(measurement, { entry, architectures, planner });
  return selected.map((network) => {
    const label = `${measurement.kind} of ${network.label}, ${entry.data}`;
    const { key } = planner.add(kind, { params, inputs: filesOf(network), label });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}

interface Planned {
  readonly entry: AnyEntry;
  readonly architectures: ReadonlySet<Graph>;
  readonly planner: Planner;
}

/** Returns the parameters of the tasks of an entry, defaults included. */
async function paramsOf(
  measurement: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): Promise<MeasurementParams> {
  const { options: fields, examplesBeside = {} } = measurement;
  const chosen = chosenOf(measurement, entry, planner.seed);
  const batchSize = Number(chosen.get("batchSize") ?? fields["batchSize"]?.default ?? 1);
  const open = (name: string) => planner.openFor(name, { architectures, batchSize });
  const names = new Map<string, unknown>(Object.entries(entry));
  const { description: data } = await open(entry.data);
  const beside: [string, TaskData][] = [];
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const source = names.get(name);
    if (typeof source === "string") beside.push([param, (await open(source)).description]);
  }
  const source = names.get("statisticsData");
  const statisticsData = typeof source === "string" ? (await open(source)).description : undefined;
  return {
    data,
    ...(statisticsData && { statisticsData }),
    ...Object.fromEntries(beside),
    options: keyedOptions(fields, chosen),
  };
}

/** Returns the options that an entry names, and the seed of the study for a measurement that has one. */
function chosenOf({ options }: AnyMeasurement, entry: AnyEntry, seed: number): ReadonlyMap<string, unknown> {
  const chosen = Object.entries(entry).filter(([name, value]) => name in options && value !== undefined);
  return new Map<string, unknown>("seed" in options ? [...chosen, ["seed", seed]] : chosen);
}

/**
 * Lists the options that decide the key of a task: defaults included, but for options that came later, so
 * that tasks that were begun before keep their keys.
 */
export function keyedOptions(
  fields: Readonly<Record<string, AnyField>>,
  chosen: ReadonlyMap<string, unknown>,
): Readonly<Record<string, unknown>> {
  const options = Object.entries(fields).flatMap(([name, { default: missing, keyed = "always" }]) => {
    const value = chosen.has(name) ? chosen.get(name) : missing;
    return isKeyed(keyed, { value, missing, isNamed: chosen.has(name) }) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(options);
}

interface Choice {
  readonly value: unknown;
  readonly missing: unknown;
  readonly isNamed: boolean;
}

function isKeyed(keyed: Keyed, { value, missing, isNamed }: Choice): boolean {
  if (value === undefined) return false;
  if (keyed === "always") return true;
  return isNamed && (keyed === "if-named" || value !== missing);
}
