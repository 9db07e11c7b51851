import { type AnyField, at, type Keyed, resolveFields } from "@isthmus/core";
import type { AnyMeasurement, CompletedBy } from "@isthmus/findings";
import type { DataSet, Graph } from "@isthmus/graph";
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
  const on = "sets" in entry ? Object.keys(entry.sets).join(", ") : entry.data;
  if (!("of" in entry)) {
    const architectures = new Set(selectPairs(networks, entry).map(({ a }) => a.architecture));
    const paramsOf = await openParams(measurement, { entry, architectures, planner });
    return planEachPair(kind, entry, context, (pair) => ({
      params: paramsOf(pair.a.architecture),
      label: labelOfPair(measurement.kind, pair, entry.align, on),
    }));
  }
  const { of, where } = entry;
  const selected = selectNetworks(networks, of, where);
  const architectures = new Set(selected.map(({ architecture }) => architecture));
  const paramsOf = await openParams(measurement, { entry, architectures, planner });
  return selected.map((network) => {
    const label = `${measurement.kind} of ${network.label}, ${on}`;
    const params = paramsOf(network.architecture);
    const { key } = planner.add(kind, { params, inputs: filesOf(network), label });
    return { variables: { ...network.variables, ...variables }, task: key };
  });
}

interface Planned {
  readonly entry: AnyEntry;
  readonly architectures: ReadonlySet<Graph>;
  readonly planner: Planner;
}

/** Opens the examples of an entry; returns what makes the parameters of its tasks, defaults included. */
async function openParams(
  measurement: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): Promise<(graph: Graph) => MeasurementParams> {
  const { options: fields, examplesBeside = {} } = measurement;
  const chosen = chosenOf(measurement, entry, planner.seed);
  const batchSize = Number(chosen.get("batchSize") ?? fields["batchSize"]?.default ?? 1);
  const open = (name: string, size: number) => planner.openFor(name, { architectures, batchSize: size });
  const names = new Map<string, unknown>(Object.entries(entry));
  const measured = await openMeasured(entry, (name) => open(name, batchSize));
  const beside = new Map<string, DataSet>();
  const besideParams: [string, TaskData][] = [];
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const source = names.get(name);
    if (typeof source !== "string") continue;
    // A training chooses batches of its own.
    const opened = await open(source, 1);
    beside.set(name, opened.data);
    besideParams.push([param, opened.description]);
  }
  const source = names.get("statisticsData");
  const statisticsData = typeof source === "string" ? (await open(source, batchSize)).description : undefined;
  return (graph) => ({
    ...measured.params,
    ...(statisticsData && { statisticsData }),
    ...Object.fromEntries(besideParams),
    options: keyedOptions(fields, completed(measurement, chosen, { data: measured.data, beside, graph })),
  });
}

/** Opens the examples that an entry measures on: one set, or several with names. */
async function openMeasured(
  entry: AnyEntry,
  open: (name: string) => ReturnType<Planner["openFor"]>,
): Promise<{ readonly params: Pick<MeasurementParams, "data" | "sets">; readonly data: DataSet }> {
  if (!("sets" in entry)) {
    const { description, data } = await open(entry.data);
    return { params: { data: description }, data };
  }
  const opened = [];
  for (const [name, source] of Object.entries(entry.sets)) opened.push({ name, ...(await open(source)) });
  return {
    params: { sets: opened.map(({ name, description }) => ({ name, data: description })) },
    data: at(opened, 0, "set").data,
  };
}

/** Adds the options whose defaults depend on the architecture and the data to the chosen ones. */
function completed(
  { attempt, options: fields, complete }: AnyMeasurement,
  chosen: ReadonlyMap<string, unknown>,
  subject: CompletedBy,
): ReadonlyMap<string, unknown> {
  if (complete === undefined) return chosen;
  const resolved = resolveFields(attempt, fields, Object.fromEntries(chosen));
  const found = Object.entries(complete(resolved, subject));
  return new Map([...chosen, ...found.filter(([name, value]) => value !== resolved[name])]);
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
