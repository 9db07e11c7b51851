import { type Checkpoint, MismatchError } from "@isthmus/core";
import {
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  type Graph,
  withoutDevice,
} from "@isthmus/graph";
import type { ResolvedTrainOptions } from "./train-options.ts";

/** Everything that decides the result of a training, or of other work that can be resumed, as plain data. */
export type RunDescription = Readonly<Record<string, unknown>>;

/** The most differences that an error message lists. */
const SHOWN_DIFFERENCES = 3;

/** Options that decide the result of a training, in the order of its description. */
const DECIDING = [
  "seed",
  "epochs",
  "batch",
  "remainder",
  "loss",
  "optimizer",
  "schedule",
  "augment",
] as const;

/**
 * Describes a training, so that it can be compared with another; graph, weights and data by their
 * fingerprints.
 */
export async function describeRun(
  {
    graph,
    engine,
    weights,
    data,
  }: {
    readonly graph: Graph;
    readonly engine: string;
    /** Weights that training starts from; missing if they are described separately. */
    readonly weights?: Checkpoint;
    readonly data: DataSet;
  },
  options: ResolvedTrainOptions,
): Promise<RunDescription> {
  return {
    graph: fingerprintGraph(graph),
    ...(weights === undefined ? {} : { weights: await fingerprintWeights(graph, weights) }),
    data: describeData(data),
    engine: withoutDevice(engine),
    ...Object.fromEntries(DECIDING.map((name) => [name, options[name]])),
    freeze: options.freeze.join(", "),
    collected: options.collect?.steps.join(", "),
  };
}

/** Describes a data set, so that it can be compared with another. */
export function describeData(data: DataSet): RunDescription {
  const { size, exampleShape, classes } = data;
  return { examples: size, shape: exampleShape.join(" x "), classes, digest: fingerprintData(data) };
}

/**
 * Checks that the work to be resumed has the same description as the work that wrote a state.
 * @param there - description in the state
 * @param here - description of the work to be resumed
 * @param what - name of the work in messages
 * @throws MismatchError if not; the message names the differences
 */
export function assertSameRun(
  path: string,
  there: RunDescription,
  here: RunDescription,
  what = "training",
): void {
  const [thereValues, hereValues] = [flatten(there), flatten(here)];
  const names = [...new Set([...thereValues.keys(), ...hereValues.keys()])].filter(
    (name) => thereValues.get(name) !== hereValues.get(name),
  );
  if (names.length === 0) return;
  const differences = names.slice(0, SHOWN_DIFFERENCES).map((name) => {
    const [thereValue, hereValue] = [thereValues, hereValues].map(
      (values) => values.get(name) ?? "not given",
    );
    return `"${name}" is ${thereValue} there and ${hereValue} here`;
  });
  if (names.length > SHOWN_DIFFERENCES) differences.push(`${names.length - SHOWN_DIFFERENCES} more differ`);
  throw new MismatchError(
    `Cannot resume from "${path}" as it must be of the same ${what}: ${differences.join(", ")}; it was left as it is`,
    { parameters: names },
  );
}

/** Writes every number and string of nested data into a map, as JSON by its path, and returns the map. */
function flatten(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value !== "object" || value === null) {
    if (value !== undefined) into.set(path, JSON.stringify(value));
    return into;
  }
  for (const [key, nested] of Object.entries(value))
    flatten(nested, path === "" ? key : `${path}.${key}`, into);
  return into;
}
