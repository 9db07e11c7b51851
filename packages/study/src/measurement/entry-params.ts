import type { AnyField, Keyed } from "@isthmus/core";
import type { AnyMeasurement } from "@isthmus/findings";
import type { Graph } from "@isthmus/graph";
import type { NetworkCell } from "../plan/network-cells.ts";
import type { Planner } from "../plan/planner.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import type { AnyEntry } from "./entry.ts";
import type { MeasurementParams } from "./open-shared.ts";

/** An entry with what its tasks are planned with. */
export interface Planned {
  readonly entry: AnyEntry;
  readonly architectures: ReadonlySet<Graph>;
  readonly planner: Planner;
}

/** Returns what opens the examples of an entry by name, which must fit the networks. */
export function dataOpener(
  { options: fields }: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): (name: string) => Promise<TaskData> {
  const batchSize = entry.batchSize ?? Number(fields["batchSize"]?.default ?? 1);
  return async (name) => (await planner.openFor(name, { architectures, batchSize })).description;
}

/** Returns the architectures of the networks of cells. */
export function architecturesOf(cells: readonly NetworkCell[]): ReadonlySet<Graph> {
  return new Set(cells.flatMap(({ members }) => members.map(({ network }) => network.architecture)));
}

/** Returns the parameters of the tasks of an entry, defaults included. */
export async function paramsOf(
  measurement: AnyMeasurement,
  { entry, architectures, planner }: Planned,
): Promise<MeasurementParams> {
  const { options: fields, examplesBeside = {} } = measurement;
  const chosen = chosenOf(measurement, entry, planner.seed);
  const open = dataOpener(measurement, { entry, architectures, planner });
  const names = new Map<string, unknown>(Object.entries(entry));
  const data = await open(entry.data);
  const beside: [string, TaskData][] = [];
  for (const [name, { param }] of Object.entries(examplesBeside)) {
    const source = names.get(name);
    if (typeof source === "string") beside.push([param, await open(source)]);
  }
  const source = names.get("statisticsData");
  const statisticsData = typeof source === "string" ? await open(source) : undefined;
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
