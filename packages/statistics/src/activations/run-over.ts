import type { Tensor } from "@isthmus/core";
import {
  bakeWeights,
  createLeaveOutFilling,
  type DataSet,
  type Engine,
  extractSubgraph,
  type Graph,
  planFeeds,
  type Session,
} from "@isthmus/graph";
import type { ActivationStatisticsOptions } from "./activation-statistics.ts";
import type { UnitView } from "./unit-view.ts";

/** Networks of one graph, and the data they are run on. */
interface Pass {
  readonly graph: Graph;
  readonly engine: Engine;
  readonly data: DataSet;
  readonly networks: readonly ReadonlyMap<string, Tensor>[];
}

/**
 * Runs networks of one graph side by side over a data set, and calls `use` with their values for each batch.
 */
export async function runOver(
  { graph, engine, data, networks }: Pass,
  views: readonly UnitView[],
  { batchSize, threads, signal, onProgress }: Required<ActivationStatisticsOptions>,
  use: (values: readonly ReadonlyMap<string, Tensor>[]) => Promise<void>,
): Promise<void> {
  const attempt = "measure activations";
  const fed = new Set(graph.inputs.map(({ name }) => name));
  const computed = [...new Set(views.map(({ value }) => value))].filter((value) => !fed.has(value));
  const plan = planFeeds(attempt, graph, data, batchSize);
  const leaveOut = await createLeaveOutFilling(attempt, { graph, engine }, plan);
  const sessions: Session[] = [];
  try {
    if (computed.length > 0) {
      const part = extractSubgraph(graph, [], computed);
      for (const weights of networks)
        sessions.push(await engine.load(bakeWeights(part, weights), { threads }));
    }
    for (const range of plan.ranges) {
      signal?.throwIfAborted();
      const batch = plan.read(range);
      const values: ReadonlyMap<string, Tensor>[] = [];
      for (const place of networks.keys()) {
        const all = [...batch.feeds, ...((await sessions[place]?.run(batch.feeds)) ?? [])];
        values.push(new Map(all.map(([name, value]) => [name, leaveOut(name, value, batch)])));
      }
      await use(values);
      onProgress?.({ done: range.end / data.size, completed: range.end, total: data.size });
    }
  } finally {
    for (const session of sessions) await session.release();
  }
}
