import { type Checkpoint, entry, type Tensor } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, limitExamples, planFeeds } from "@isthmus/graph";

/** Options of {@link runBoth}. */
export interface RunBothOptions {
  /** Data set whose inputs both networks get. */
  readonly data: DataSet;
  /** Examples to take, from the first. */
  readonly examples: number;
  /** Examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the runs, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Values that two networks compute on the same batch. */
export interface BothRuns {
  /** Returns a value of each network. */
  valuesOf(name: string): readonly [Tensor, Tensor];
  /** Number of rows that were fed; rows that are no examples fill up the batch. */
  readonly rows: number;
  /** Number of rows that are examples; they come first. */
  readonly examples: number;
}

/**
 * Runs two networks on the same inputs, and yields their values batch by batch.
 *
 * @param attempt - action that messages name
 * @param names - the values to compute
 * @throws InputError if the data do not fit the graph
 */
export async function* runBoth(
  { graph, engine }: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  { attempt, names }: { readonly attempt: string; readonly names: readonly string[] },
  { data, examples, batchSize, signal }: RunBothOptions,
): AsyncGenerator<BothRuns> {
  const plan = planFeeds(attempt, graph, limitExamples(attempt, data, examples), batchSize);
  const session = await engine.load({ ...graph, outputs: names.map((name) => ({ name })) });
  try {
    const weights = [await bindWeights(graph, a), await bindWeights(graph, b)] as const;
    for (const range of plan.ranges) {
      signal?.throwIfAborted();
      const fed = plan.read(range);
      const one = await session.run(new Map([...weights[0], ...fed.feeds]));
      const two = await session.run(new Map([...weights[1], ...fed.feeds]));
      const valuesOf = (name: string) => [entry(one, name, "value"), entry(two, name, "value")] as const;
      yield { valuesOf, rows: fed.rows, examples: fed.examples };
    }
  } finally {
    await session.release();
  }
}
