import { at, type Tensor } from "@isthmus/core";
import {
  type Architecture,
  bakeWeights,
  createLeaveOutFilling,
  type DataSet,
  extractSubgraph,
  planFeeds,
  type Session,
} from "@isthmus/graph";
import type { ActivationStatisticsOptions } from "./statistics-options.ts";
import type { UnitView } from "./unit-view.ts";

/** A network with its weights bound, and its values that are read. */
export interface RunNetwork extends Architecture {
  /** Tensors for all weights of the graph, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Views of the values that are read. */
  readonly views: readonly UnitView[];
}

/** Networks, of one graph or of several, and the examples that all of them see. */
interface Pass {
  readonly networks: readonly RunNetwork[];
  readonly data: DataSet;
}

/** Runs networks side by side over a data set, and calls `use` with their values for each batch. */
export async function runOver(
  { networks, data }: Pass,
  { batchSize, threads, signal, onProgress }: Required<ActivationStatisticsOptions>,
  use: (values: readonly ReadonlyMap<string, Tensor>[]) => Promise<void>,
): Promise<void> {
  const readers: BatchReader[] = [];
  try {
    for (const network of networks) readers.push(await openReader(network, data, { batchSize, threads }));
    for (const [index, { end }] of at(readers, 0, "network").ranges.entries()) {
      signal?.throwIfAborted();
      const values: ReadonlyMap<string, Tensor>[] = [];
      for (const { read } of readers) values.push(await read(index));
      await use(values);
      onProgress?.({ done: end / data.size, completed: end, total: data.size });
    }
  } finally {
    for (const { release } of readers) await release();
  }
}

/** A network that is run on one batch after the other. */
interface BatchReader {
  readonly ranges: readonly { readonly end: number }[];
  /** Returns the values of a batch, by its place in `ranges`, without the rows that fill it up. */
  read(index: number): Promise<ReadonlyMap<string, Tensor>>;
  release(): Promise<void>;
}

async function openReader(
  { graph, engine, weights, views }: RunNetwork,
  data: DataSet,
  { batchSize, threads }: Pick<Required<ActivationStatisticsOptions>, "batchSize" | "threads">,
): Promise<BatchReader> {
  const attempt = "measure activations";
  const fed = new Set(graph.inputs.map(({ name }) => name));
  const computed = [...new Set(views.map(({ value }) => value))].filter((value) => !fed.has(value));
  const plan = planFeeds(attempt, graph, data, batchSize);
  const leaveOut = await createLeaveOutFilling(attempt, { graph, engine }, plan);
  const session: Session | undefined =
    computed.length === 0
      ? undefined
      : await engine.load(bakeWeights(extractSubgraph(graph, [], computed), weights), { threads });
  return {
    ranges: plan.ranges,
    async read(index) {
      const batch = plan.read(at(plan.ranges, index, "batch"));
      const all = [...batch.feeds, ...((await session?.run(batch.feeds)) ?? [])];
      return new Map(all.map(([name, value]) => [name, leaveOut(name, value, batch)]));
    },
    release: async () => session?.release(),
  };
}
