import { type AnyField, at, type Keyed, resolveFields } from "@isthmus/core";
import type { AnyMeasurement, CompletedBy } from "@isthmus/findings";
import type { DataSet, Graph } from "@isthmus/graph";
import type { NetworkCell } from "../plan/network-cells.ts";
import type { Planner } from "../plan/planner.ts";
import { lossOfEntry } from "../schema/measured-loss.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import type { AnyEntry } from "./entry.ts";
import type { MeasurementParams } from "./open-shared.ts";
import { toTaskOptions } from "./training-params.ts";

/** An entry with what its tasks are planned with. */
export interface Planned {
  readonly entry: AnyEntry;
  readonly architectures: ReadonlySet<Graph>;
  readonly planner: Planner;
}

/** Returns what opens the examples of an entry by name, which must fit the networks. */
export function dataOpener(
  measurement: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): (name: string) => Promise<TaskData> {
  const batchSize = batchSizeOf(measurement, entry);
  return async (name) => (await planner.openFor(name, { architectures, batchSize })).description;
}

/** Returns the architectures of the networks of cells. */
export function architecturesOf(cells: readonly NetworkCell[]): ReadonlySet<Graph> {
  return new Set(cells.flatMap(({ members }) => members.map(({ network }) => network.architecture)));
}

/** Returns the parameters of tasks whose networks are of one architecture, defaults included. */
export async function paramsOf(measurement: AnyMeasurement, planned: Planned): Promise<MeasurementParams> {
  return (await openParams(measurement, planned))(at([...planned.architectures], 0, "architecture"));
}

/**
 * Opens the examples of an entry; returns what makes the parameters of its tasks for networks of an
 * architecture, defaults included.
 */
export async function openParams(
  measurement: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): Promise<(graph: Graph) => MeasurementParams> {
  const { options: fields, examplesBeside = {}, complete, trains } = measurement;
  const chosen = chosenOf(measurement, entry, planner.seed);
  const batchSize = batchSizeOf(measurement, entry);
  const open = (name: string, size: number) => planner.openFor(name, { architectures, batchSize: size });
  const names = new Map<string, unknown>(Object.entries(entry));
  const measured = await openMeasured(entry, (name) => open(name, batchSize));
  const beside = new Map<string, DataSet>();
  const besideParams: [string, TaskData][] = [];
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const source = names.get(name);
    if (typeof source !== "string") continue;
    // A training, which completes the options, chooses batches of its own.
    const opened = await open(source, complete === undefined ? batchSize : 1);
    beside.set(name, opened.data);
    besideParams.push([param, opened.description]);
  }
  const source = names.get("statisticsData");
  const statisticsData = typeof source === "string" ? (await open(source, batchSize)).description : undefined;
  return (graph) => ({
    ...measured.params,
    ...(trains === undefined && lossOfEntry(entry)),
    ...(statisticsData && { statisticsData }),
    ...Object.fromEntries(besideParams),
    options: toTaskOptions(
      measurement,
      keyedOptions(fields, completed(measurement, chosen, { data: measured.data, beside, graph })),
    ),
  });
}

const batchSizeOf = ({ options: fields }: AnyMeasurement, entry: AnyEntry): number =>
  entry.batchSize ?? Number(fields["batchSize"]?.default ?? 1);

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
  const options = Object.entries(complete(resolved, subject));
  return new Map([...chosen, ...options.filter(([name, value]) => value !== resolved[name])]);
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
