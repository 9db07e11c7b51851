import { type Checkpoint, MismatchError } from "@isthmus/core";
import {
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  type Graph,
} from "@isthmus/graph";
import type { ResolvedTrainOptions } from "./train-options.ts";

/** All that decides the bytes a training, or other work that can be resumed, gives, as plain data. */
export type RunDescription = Readonly<Record<string, unknown>>;

/** Differences that are written out. */
const SHOWN_DIFFERENCES = 3;

/** Describes a training, so that another can be told from it; the bytes of graph, weights and data by fingerprints. */
export async function describeRun(
  {
    graph,
    engine,
    weights,
    data,
  }: {
    readonly graph: Graph;
    readonly engine: string;
    /** Missing where they are described apart. */
    readonly weights?: Checkpoint;
    readonly data: DataSet;
  },
  { seed, epochs, batch, remainder, loss, optimizer, schedule, augment, freeze }: ResolvedTrainOptions,
): Promise<RunDescription> {
  return {
    graph: fingerprintGraph(graph),
    ...(weights === undefined ? {} : { weights: await fingerprintWeights(graph, weights) }),
    data: describeData(data),
    engine,
    seed,
    epochs,
    batch,
    remainder,
    loss,
    optimizer,
    schedule,
    augment,
    freeze: freeze.join(", "),
  };
}

/** Describes a data set, so that another can be told from it. */
export function describeData(data: DataSet): RunDescription {
  const { size, exampleShape, classes } = data;
  return { examples: size, shape: exampleShape.join(" x "), classes, digest: fingerprintData(data) };
}

/**
 * Checks that work is the same as that a state was written by.
 * @param what - the work, for messages
 * @throws MismatchError if not; it names what differs
 */
export function assertSameRun(
  path: string,
  there: RunDescription,
  here: RunDescription,
  what = "training",
): void {
  const [left, right] = [flatten(there), flatten(here)];
  const names = [...new Set([...left.keys(), ...right.keys()])].filter(
    (name) => left.get(name) !== right.get(name),
  );
  if (names.length === 0) return;
  const told = names
    .slice(0, SHOWN_DIFFERENCES)
    .map(
      (name) =>
        `"${name}" is ${left.get(name) ?? "not given"} there and ${right.get(name) ?? "not given"} here`,
    );
  if (names.length > SHOWN_DIFFERENCES) told.push(`${names.length - SHOWN_DIFFERENCES} more differ`);
  throw new MismatchError(
    `Cannot resume from "${path}" as it must be of the same ${what}: ${told.join(", ")}; it was left as it is`,
    { parameters: names },
  );
}

/** Every number and string of nested data as JSON, by its path. */
function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value !== "object" || value === null) {
    if (value !== undefined) into.set(path, JSON.stringify(value));
    return into;
  }
  for (const [key, entry] of Object.entries(value))
    flatten(entry, path === "" ? key : `${path}.${key}`, into);
  return into;
}
