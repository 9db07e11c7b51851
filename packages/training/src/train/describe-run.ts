import { createHash } from "node:crypto";
import { type Checkpoint, MismatchError, viewBytes } from "@isthmus/core";
import { type DataSet, encodeGraph, type Graph } from "@isthmus/graph";
import type { ResolvedTrainOptions } from "./train-options.ts";

/** All that decides the bytes a training gives, as plain data. */
export type RunDescription = Readonly<Record<string, unknown>>;

/** Examples of a data set that stand for all of it. */
const SAMPLED_EXAMPLES = 256;
/** Characters of a digest that are kept. */
const DIGEST_LENGTH = 32;
/** Differences that are written out. */
const SHOWN_DIFFERENCES = 3;

/** Describes a training, so that another can be told from it; the bytes of graph, weights and data by digests. */
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
    graph: digest([encodeGraph(graph)]),
    ...(weights === undefined ? {} : { weights: await digestWeights(graph, weights) }),
    data: {
      examples: data.size,
      shape: data.exampleShape.join(" x "),
      classes: data.classes,
      digest: digestData(data),
    },
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

function digest(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

/** A digest of the weights a graph takes from a checkpoint. */
export async function digestWeights(graph: Graph, weights: Checkpoint): Promise<string> {
  const hash = createHash("sha256");
  for (const name of graph.weights.keys()) hash.update(viewBytes((await weights.read(name)).data));
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

function digestData(data: DataSet): string {
  const stride = Math.max(1, Math.floor(data.size / SAMPLED_EXAMPLES));
  const samples: Uint8Array[] = [];
  for (let at = 0; at < data.size; at += stride) {
    const { inputs, labels } = data.read(at, at + 1);
    samples.push(viewBytes(inputs.data), viewBytes(labels));
  }
  return digest(samples);
}

/**
 * Checks that a training is the one a state was written by.
 * @throws MismatchError if not; it names what differs
 */
export function assertSameRun(path: string, there: RunDescription, here: RunDescription): void {
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
    `Cannot resume from "${path}" as it must be of the same training: ${told.join(", ")}; it was left as it is`,
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
