import { at, type Checkpoint, entry, type Tensor } from "@isthmus/core";
import {
  bakeWeights,
  bindWeights,
  createLeaveOutFilling,
  type DataSet,
  type Engine,
  extractSubgraph,
  type FeedPlan,
  type Graph,
  type LeaveOutFilling,
  planFeeds,
  type Session,
} from "@isthmus/graph";

/** A network, and the names of its values to compute. */
export interface RunNetwork {
  /** Graph of the network. */
  readonly graph: Graph;
  /** Weights of the network by name, which become constants of the run. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Names of inputs or of values that nodes compute. */
  readonly values: readonly string[];
}

/** Examples, and options for feeding them. */
export interface RunOptions {
  /** Examples to feed. */
  readonly data: DataSet;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the run between two batches. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
}

/** A network that is ready to run. */
interface RunSession {
  readonly plan: FeedPlan;
  readonly leaveOut: LeaveOutFilling;
  readonly values: readonly string[];
  readonly session: Session;
}

/**
 * Runs networks side by side over a data set, and calls `use` with their values for each batch.
 */
export async function runValues(
  engine: Engine,
  networks: readonly RunNetwork[],
  { data, batchSize, signal }: RunOptions,
  use: (values: readonly ReadonlyMap<string, Tensor>[]) => Promise<void>,
): Promise<void> {
  const runs: RunSession[] = [];
  try {
    for (const { graph, weights, values } of networks) {
      const fed = new Set(graph.inputs.map(({ name }) => name));
      const part = extractSubgraph(
        graph,
        [],
        values.filter((value) => !fed.has(value)),
      );
      const plan = planFeeds("fit layers", graph, data, batchSize);
      const leaveOut = await createLeaveOutFilling("fit layers", { graph, engine }, plan);
      runs.push({ plan, leaveOut, values, session: await engine.load(bakeWeights(part, weights)) });
    }
    for (const range of at(runs, 0, "network").plan.ranges) {
      signal?.throwIfAborted();
      const results: ReadonlyMap<string, Tensor>[] = [];
      for (const { plan, leaveOut, values, session } of runs) {
        const batch = plan.read(range);
        const all = new Map([...batch.feeds, ...(await session.run(batch.feeds))]);
        results.push(new Map(values.map((name) => [name, leaveOut(name, entry(all, name, "value"), batch)])));
      }
      await use(results);
    }
  } finally {
    for (const { session } of runs) await session.release();
  }
}

/** Reads all weights of a network into memory. */
export async function readWeights(graph: Graph, network: Checkpoint): Promise<Map<string, Tensor>> {
  return new Map(await bindWeights(graph, network));
}
