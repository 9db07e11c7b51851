import { type Checkpoint, entry, InputError, sizeOf, type Tensor } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, planFeeds } from "@isthmus/graph";

/** Options of {@link tokenValues}. */
export interface TokenValuesOptions {
  /** Action that messages name. */
  readonly attempt: string;
  /** Names of the values to compute. */
  readonly names: readonly string[];
  /** Examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the runs between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called with the share of the examples that were run, in `[0, 1]`. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A value of a batch, without the rows that fill the batch up. */
export interface TokenValue {
  /** Shape of the value, whose first extent counts examples, or tokens. */
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly data: Float32Array;
}

/**
 * Runs a network on examples, and yields values inside it batch by batch.
 *
 * @throws InputError if the data do not fit the graph, or a value is not f32 or not finite
 */
export async function* tokenValues(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  { attempt, names, batchSize, signal, onProgress }: TokenValuesOptions,
): AsyncGenerator<(name: string) => TokenValue> {
  const plan = planFeeds(attempt, graph, data, batchSize);
  const session = await engine.load({ ...graph, outputs: names.map((name) => ({ name })) });
  try {
    const weights = await bindWeights(graph, network);
    for (const [i, range] of plan.ranges.entries()) {
      signal?.throwIfAborted();
      const { feeds, rows, examples } = plan.read(range);
      const values = await session.run(new Map([...weights, ...feeds]));
      yield (name) => examplesOf(attempt, network, entry(values, name, "value"), examples / rows);
      onProgress?.((i + 1) / plan.ranges.length);
    }
  } finally {
    await session.release();
  }
}

function examplesOf(
  attempt: string,
  { source }: Checkpoint,
  { data, shape }: Tensor,
  share: number,
): TokenValue {
  const [first = 1, ...rest] = shape;
  const count = Math.round(first * share);
  if (data instanceof Float32Array) {
    const values = data.subarray(0, count * sizeOf(rest));
    if (values.every(Number.isFinite)) return { shape: [count, ...rest], data: values };
  }
  throw new InputError(
    `Cannot ${attempt} as what "${source}" computes for its routers must be finite numbers of 32 bits: it is not`,
    { input: source },
  );
}
