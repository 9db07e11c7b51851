import type { Tensor } from "@isthmus/core";
import { type Engine, type Graph, holdFeeds, type Session } from "@isthmus/graph";
import { splitGraph } from "./split-graph.ts";

type Tensors = ReadonlyMap<string, Tensor>;

/** A graph that the engine has loaded. */
export interface LoadedGraph {
  /** Names of all tensors that it takes. */
  readonly names: ReadonlySet<string>;
  /**
   * Copies tensors to the memory of the engine's device, if it has one; returns the ones still to be fed.
   * Tensors that do not vary are copied the first time only.
   */
  readonly hold: (tensors: Tensors) => Promise<Tensors>;
  /** Runs the graph on the batch that begins at an example. */
  readonly run: (feeds: Tensors, begin: number) => Promise<Tensors>;
  /** Frees the engine's sessions. */
  readonly release: () => Promise<void>;
}

/** How the results of a graph are used. */
export interface DerivedUse {
  /** Number of batches whose results are used at once; undefined if none may be overwritten. */
  readonly heldBatches: number | undefined;
  /** Names of the data inputs that alone change from run to run; undefined if other tensors change, too. */
  readonly varying: ReadonlySet<string> | undefined;
  /** Number of batches. */
  readonly batches: number;
}

/** Most bytes that are kept of what a graph computes from tensors that never change, for all batches. */
const KEPT_BYTES = 2 ** 28;

/**
 * Loads a graph that is run on batch after batch. Only if the engine shares the memory of tensors are results
 * reused, and values kept from run to run: others would copy them.
 */
export async function loadDerivedGraph(engine: Engine, graph: Graph, use: DerivedUse): Promise<LoadedGraph> {
  const names = new Set([...graph.inputs.map(({ name }) => name), ...graph.weights.keys()]);
  const varying = [...(use.varying ?? [])].some((name) => names.has(name)) ? use.varying : undefined;
  const isShared = engine.sharesMemory === true;
  const split = isShared && varying !== undefined ? splitGraph(graph, varying) : undefined;
  if (split === undefined || split.bytes * use.batches > KEPT_BYTES) {
    const session = await engine.load(graph);
    return {
      names,
      hold: holderOf(session, varying),
      run: runnerOf(session, isShared ? use.heldBatches : undefined),
      release: () => session.release(),
    };
  }
  const before = await engine.load(split.fixed);
  const session = await engine.load(split.varying).catch(async (error: unknown) => {
    await before.release();
    throw error;
  });
  const run = runnerOf(session, use.heldBatches);
  const fixedValues = new Map<number, Tensors>();
  return {
    names,
    // An engine that shares the memory of tensors has no other.
    hold: async (tensors) => tensors,
    async run(feeds, begin) {
      const values = fixedValues.get(begin) ?? (await before.run(feeds));
      fixedValues.set(begin, values);
      return run(new Map([...feeds, ...values]), begin);
    },
    async release() {
      fixedValues.clear();
      await Promise.all([before.release(), session.release()]);
    },
  };
}

/** Returns a function that copies tensors to the device of a session, after the first time those that vary. */
function holderOf(session: Session, varying: ReadonlySet<string> | undefined): LoadedGraph["hold"] {
  let isHeld = false;
  return async (tensors) => {
    const isFirst = varying === undefined || !isHeld;
    const copied = isFirst ? tensors : new Map([...tensors].filter(([name]) => varying.has(name)));
    const fed = await holdFeeds(session, copied);
    isHeld = session.memory !== undefined;
    return fed;
  };
}

/** Returns a function that runs a session, into results of earlier runs once so many others are held. */
function runnerOf(session: Session, heldBatches: number | undefined): LoadedGraph["run"] {
  if (heldBatches === undefined) return (feeds) => session.run(feeds);
  const held: Tensors[] = [];
  let next = 0;
  return async (feeds) => {
    const place = next;
    next = (next + 1) % heldBatches;
    const results = await session.run(feeds, held[place]);
    held[place] = results;
    return results;
  };
}
