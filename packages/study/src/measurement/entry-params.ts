import { type AnyField, at, type Keyed, resolveFields } from "@isthmus/core";
import type { AnyMeasurement, CompletedBy } from "@isthmus/findings";
import type { DataSet, Graph } from "@isthmus/graph";
import { TRAINING_FIELDS } from "@isthmus/training";
import * as z from "zod";
import type { PlannedNetwork } from "../plan/planned-network.ts";
import type { Planner } from "../plan/planner.ts";
import type { MeasuredLoss } from "../schema/measured-loss.ts";
import { shapeOfFields } from "../schema/zod-of-form.ts";
import type { TaskData } from "../tasks/task-kind.ts";
import type { MeasurementParams } from "./open-shared.ts";
import type { AnyEntry, PlannedEntry } from "./subject-form.ts";

/**
 * Returns a function that opens further examples of an entry by name, and checks that they fit the networks.
 */
export function dataOpener(
  { measurement, entry, context: { planner } }: PlannedEntry,
  networks: readonly PlannedNetwork[],
): (name: string) => Promise<TaskData> {
  const fitting = { architectures: architecturesOf(networks), batchSize: batchSizeOf(measurement, entry) };
  return async (name) => (await planner.openFor(name, fitting)).description;
}

const architecturesOf = (networks: readonly PlannedNetwork[]): ReadonlySet<Graph> =>
  new Set(networks.map(({ architecture }) => architecture));

/**
 * Opens the examples of an entry, and lists the parameters of its tasks, defaults included.
 * @param networks - a network of each task
 */
export async function openParams(
  { measurement, entry, context: { planner } }: PlannedEntry,
  networks: readonly PlannedNetwork[],
): Promise<readonly MeasurementParams[]> {
  const architectures = architecturesOf(networks);
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
  return networks.map(({ architecture: graph }) => ({
    ...measured.params,
    ...(trains === undefined && lossOfEntry(entry)),
    ...(statisticsData && { statisticsData }),
    ...Object.fromEntries(besideParams),
    options: toTaskOptions(
      measurement,
      keyedOptions(
        fields,
        completed(measurement, chosen, measured.data && { data: measured.data, beside, graph }),
      ),
    ),
  }));
}

const batchSizeOf = ({ options: fields }: AnyMeasurement, entry: AnyEntry): number =>
  entry.batchSize ?? Number(fields["batchSize"]?.default ?? 1);

/** Opens the examples that an entry measures on: one set, several with names, or none. */
async function openMeasured(
  entry: AnyEntry,
  open: (name: string) => ReturnType<Planner["openFor"]>,
): Promise<{
  readonly params: Pick<MeasurementParams, "data" | "sets">;
  readonly data: DataSet | undefined;
}> {
  if (!("sets" in entry)) {
    if (entry.data === undefined) return { params: {}, data: undefined };
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

/**
 * Adds the options whose defaults depend on the architecture and the data to the chosen ones.
 * @param subject - the architecture and the data; undefined if there are no data
 */
export function completed(
  { attempt, options: fields, complete }: AnyMeasurement,
  chosen: ReadonlyMap<string, unknown>,
  subject: CompletedBy | undefined,
): ReadonlyMap<string, unknown> {
  if (complete === undefined || subject === undefined) return chosen;
  const resolved = resolveFields(attempt, fields, Object.fromEntries(chosen));
  const options = Object.entries(complete(resolved, subject));
  return new Map([...chosen, ...options.filter(([name, value]) => value !== resolved[name])]);
}

/** Returns the options that an entry names; a measurement that has a seed takes the seed of the study. */
export function chosenOf(
  measurement: AnyMeasurement,
  entry: AnyEntry,
  seed: number,
): ReadonlyMap<string, unknown> {
  const { options } = measurement;
  const chosen = Object.entries(entry).filter(([name, value]) => name in options && value !== undefined);
  const name = seedOf(measurement);
  return new Map<string, unknown>(name in options ? [...chosen, [name, seed]] : chosen);
}

/** Returns the name of the option that takes the seed of the study. */
export const seedOf = ({ training }: AnyMeasurement): string => training?.seed ?? "seed";

/**
 * Lists the options that decide the key of a task, defaults included. Options that were added later (see
 * `keyed`) count only if an entry names or changes them, so that older tasks keep their keys.
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

/**
 * Returns the loss that an entry names, for the parameters of its tasks; an empty object if it names none, so
 * that the keys of these tasks do not change.
 */
export function lossOfEntry({ loss }: MeasuredLoss): MeasuredLoss {
  return loss === undefined ? {} : { loss };
}

type Trained = Pick<AnyMeasurement, "trains">;
type Values<T> = Readonly<Record<string, T>>;

/** Moves the options of a training into an object of their own, if the measurement has a parameter for it. */
function nest<T, U>({ trains }: Trained, values: Values<T>, wrap: (training: Values<T>) => U): Values<T | U> {
  if (trains?.param === undefined) return values;
  const entries = Object.entries(values);
  const isOfTraining = ([name]: readonly [string, T]) => Object.hasOwn(TRAINING_FIELDS, name);
  return {
    ...Object.fromEntries(entries.filter((pair) => !isOfTraining(pair))),
    [trains.param]: wrap(Object.fromEntries(entries.filter(isOfTraining))),
  };
}

/** Returns options as the parameters of a task hold them. */
export const toTaskOptions = (measurement: Trained, options: Values<unknown>): Values<unknown> =>
  nest(measurement, options, (training) => training);

/** Makes the schemas of the options in the parameters of a task. */
export function taskShapeOf(measurement: AnyMeasurement): z.ZodRawShape {
  const { options, training } = measurement;
  const inside = Object.entries(options).filter(([name]) => !training?.options.includes(name));
  return nest(measurement, shapeOfFields(Object.fromEntries(inside)), (trained) => z.strictObject(trained));
}

/**
 * Returns the options that the parameters of a task hold, including the options that stand beside its
 * examples.
 */
export function fromTaskParams(
  { trains, training }: AnyMeasurement,
  { options, ...params }: MeasurementParams,
): Values<unknown> {
  const beside = training?.options.map((name) => [name, params[name]] as const) ?? [];
  const all = { ...options, ...Object.fromEntries(beside) };
  if (trains?.param === undefined) return all;
  const { [trains.param]: trained, ...others } = all;
  return { ...others, ...Object(trained) };
}
