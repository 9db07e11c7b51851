import type { Tensor } from "@isthmus/core";
import { type Engine, type Graph, holdFeeds, type Session } from "@isthmus/graph";
import { splitGraph } from "./split-graph.ts";

type Tensors = ReadonlyMap<string, Tensor>;

/** A graph that the engine has loaded. */
export interface LoadedGraph {
  /** Names of all tensors that it takes. */
  readonly names: ReadonlySet<string>;
  /** Copies tensors to the memory of the engine's device, if it has one; returns the ones still to be fed. */
  readonly hold: (tensors: Tensors) => Promise<Tensors>;
  /** Runs the graph on the batch that begins at an example. */
  readonly run: (feeds: Tensors, begin: number) => Promise<Tensors>;
  /** Frees the engine's sessions. */
  readonly release: () => Promise<void>;
}

/** How the results of a graph are used. */
export interface DerivedUse {
  /** Whether the next batch may overwrite the results of a batch. */
  readonly reusesResults: boolean;
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
      hold: (tensors) => holdFeeds(session, tensors),
      run: runnerOf(session, isShared && use.reusesResults),
      release: () => session.release(),
    };
  }
  const before = await engine.load(split.fixed);
  const session = await engine.load(split.varying).catch(async (error: unknown) => {
    await before.release();
    throw error;
  });
  const run = runnerOf(session, use.reusesResults);
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

/** Returns a function that runs a session, into the results of the run before if nobody keeps them. */
function runnerOf(session: Session, reusesResults: boolean): LoadedGraph["run"] {
  if (!reusesResults) return (feeds) => session.run(feeds);
  let results: Tensors | undefined;
  return async (feeds) => {
    results = await session.run(feeds, results);
    return results;
  };
}
