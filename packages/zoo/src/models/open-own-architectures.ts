import { at, type Checkpoint, isIsthmusError, MismatchError } from "@isthmus/core";
import type { BoundNetwork, DataSet } from "@isthmus/graph";
import { resolve } from "@isthmus/platform";
import { noteFeeds } from "../examples/note-feeds.ts";
import { assertArchitecture, type OpenedArchitecture } from "./open-architecture.ts";
import { openBound, type SharedReading } from "./open-bound.ts";

/** A checkpoint, with the source of its architecture. */
export interface NetworkOfGraph {
  /** Path of the checkpoint. */
  readonly path: string;
  /** Opened checkpoint. */
  readonly checkpoint: Checkpoint;
  /** File of the architecture; undefined for the config beside the checkpoint. */
  readonly graph: string | undefined;
  /** The checkpoint that the graph was exported from, if it is none of the networks. */
  readonly exportedFrom: string | undefined;
  /** Letter of the network, for messages. */
  readonly letter: "a" | "b";
}

/** A network of its own architecture, ready to be run. */
export interface OpenedNetwork extends Pick<OpenedArchitecture, "graph" | "engine"> {
  /** Network under the names of its graph. */
  readonly network: Checkpoint;
  /** Network with the way back to the names of its file. */
  readonly bound: BoundNetwork;
  /** Examples in the form that the network takes; undefined if none are named. */
  readonly data: DataSet | undefined;
}

/** Options for opening networks that may differ in their architectures, and examples for both. */
export interface OwnReading
  extends Pick<SharedReading, "engine" | "outputs" | "scaling" | "onOpen" | "onNote" | "signal"> {
  /** Verb of the command for messages, for example `fuse`. */
  readonly attempt: string;
  /** Name of the examples. @defaultValue none are opened */
  readonly data?: string | undefined;
}

/**
 * Opens two networks, whose architectures `--graph-a` and `--graph-b` name, with their examples if there are
 * any. If both have one graph it is bound to both at once, so that either may be the checkpoint that it was
 * exported from.
 */
export async function openOwnArchitectures(
  [a, b]: readonly [NetworkOfGraph, NetworkOfGraph],
  request: OwnReading,
): Promise<[OpenedNetwork, OpenedNetwork]> {
  if (sharesGraph(a, b)) {
    const opened = await openTogether([a, b], request);
    return [at(opened, 0, "network"), at(opened, 1, "network")];
  }
  const first = await openTogether([a], request);
  const second = await openTogether([b], request);
  return [at(first, 0, "network"), at(second, 0, "network")];
}

function sharesGraph(a: NetworkOfGraph, b: NetworkOfGraph): boolean {
  if (a.graph === undefined || b.graph === undefined) return false;
  const sources = [a.exportedFrom, b.exportedFrom].filter((path) => path !== undefined);
  return resolve(a.graph) === resolve(b.graph) && new Set(sources).size < 2;
}

/** Opens networks of one graph. */
async function openTogether(
  named: readonly NetworkOfGraph[],
  { attempt, data: name, ...reading }: OwnReading,
): Promise<OpenedNetwork[]> {
  const { graph, letter } = at(named, 0, "network");
  const exportedFrom = named.map((network) => network.exportedFrom).find((path) => path !== undefined);
  const paths = named.map(({ path }) => path);
  const checkpoints = named.map(({ checkpoint }) => checkpoint);
  await assertArchitecture(`${attempt} (--graph-${letter})`, paths, { graph });
  const { architecture, examples } = await openBound(
    paths,
    checkpoints,
    { data: name },
    { ...reading, graph, exportedFrom },
  ).catch((error: unknown) => nameOption(error, letter));
  const data = examples.get("data");
  // What the examples are fed as is the same for both.
  if (data !== undefined && letter === "a")
    noteFeeds(attempt, architecture, data, {
      isScaled: reading.scaling !== undefined,
      onNote: reading.onNote,
    });
  const { graph: shared, engine, networks } = architecture;
  return networks.map((bound) => ({ graph: shared, engine, network: bound.network, bound, data }));
}

/** Throws an error again; the option of verbs with one graph is replaced by the option of one side. */
function nameOption(error: unknown, letter: "a" | "b"): never {
  if (!isIsthmusError(error, "MismatchError")) throw error;
  const { message, parameters, input } = error as MismatchError;
  const named = message.replace(/--exported-from(?!-)/g, `--exported-from-${letter}`);
  throw named === message ? error : new MismatchError(named, { parameters, input, cause: error });
}
