import { type Checkpoint, entry, resolveOptions, toFloat64, UnsupportedError } from "@isthmus/core";
import {
  type Architecture,
  assertCausal,
  bindWeights,
  type DataSet,
  exposeValues,
  planFeeds,
  specialize,
} from "@isthmus/graph";
import { feedObjective } from "../train/feed-objective.ts";
import { attachLoss } from "./attach-loss.ts";
import { completeLoss, type TrainedLoss } from "./loss-of-data.ts";

/** Options of {@link measureExampleLosses}. */
export interface MeasureExampleLossesOptions {
  /** Loss of an example. @defaultValue the loss that `lossOfData` chooses */
  readonly loss?: TrainedLoss | undefined;
  /** Examples in one engine call; for a graph of a fixed batch it is that batch. @defaultValue 128 */
  readonly batch?: number;
  /** Threads of the engine; 0 lets it choose. @defaultValue 0 */
  readonly threads?: number;
  /** Signal that stops the measurement between two batches. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link measureExampleLosses}. */
const MEASURE_EXAMPLE_LOSSES_DEFAULTS: Required<MeasureExampleLossesOptions> = {
  loss: undefined,
  batch: 128,
  threads: 0,
  signal: undefined,
};

const ATTEMPT = "measure losses of examples";

/**
 * Measures the loss of every example of a data set by a network, in inference mode: without dropout, and with
 * the running statistics of norms. The loss of a text, or of an example whose positions are labelled, is the
 * mean over the tokens or positions that count; 0 if none does.
 *
 * @returns f64 `[examples]`, in the order of the data set
 * @throws MismatchError if the weights or the loss do not fit the graph
 * @throws InputError if the data do not fit the graph
 * @throws UnsupportedError if the graph computes its loss itself, as one number for a batch, or has a fixed
 *   batch that is larger than the data set
 * @throws DOMException named AbortError if `signal` is aborted
 */
export async function measureExampleLosses(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  options: MeasureExampleLossesOptions = {},
): Promise<Float64Array> {
  const { threads, signal, ...resolved } = resolveOptions(ATTEMPT, MEASURE_EXAMPLE_LOSSES_DEFAULTS, options);
  const plan = planFeeds(ATTEMPT, graph, data, resolved.batch);
  const batch = plan.fixedBatch ?? Math.min(resolved.batch, data.size);
  assertWholeBatch(graph.name, batch, data);
  const loss = completeLoss(ATTEMPT, { graph, data }, resolved.loss);
  if (loss.kind === "next-token") await assertCausal(ATTEMPT, { graph, engine }, network, data);
  const objective = attachLoss(await specialize({ graph, engine }, { batch, extents: plan.extents }), loss);
  const name = lossesOf(objective);
  const weights = await bindWeights(graph, network);
  const exposed = exposeValues({ ...objective.graph, outputs: [] }, [name]);
  const session = await engine.load(exposed, { threads });
  const losses = new Float64Array(data.size);
  try {
    for (let begin = 0; begin < data.size; begin += batch) {
      signal?.throwIfAborted();
      // The last batch is filled up by examples of the one before, which get the same losses again.
      const first = Math.min(begin, data.size - batch);
      const fed = feedObjective({ objective, plan, data }, data.read(first, first + batch));
      const results = await session.run(new Map([...weights, ...fed.feeds]));
      const { data: values, dtype } = entry(results, name, "output");
      const counts = fed.filler.weights?.data as Float32Array | undefined;
      const skip = loss.kind === "next-token" ? 1 : 0;
      losses.set(meanByRow(toFloat64(values, dtype), { rows: batch, counts, skip }), first);
    }
  } finally {
    await session.release();
  }
  return losses;
}

function lossesOf({
  losses,
  graph,
}: {
  readonly losses?: string;
  readonly graph: { readonly name: string };
}): string {
  if (losses !== undefined) return losses;
  throw new UnsupportedError(
    `Cannot ${ATTEMPT} by the loss of graph "${graph.name}" as it must be computed from an output and targets: the graph computes it as one number for a whole batch; name another loss`,
    { feature: "loss of kind output" },
  );
}

function assertWholeBatch(graph: string, batch: number, { name, size }: DataSet): void {
  if (batch <= size) return;
  throw new UnsupportedError(
    `Cannot ${ATTEMPT} of "${name}" as graph "${graph}" takes batches of ${batch} examples only: there are ${size}; free its batch by freeBatch()`,
    { feature: "fixed batch" },
  );
}

/**
 * Computes the mean of each row of losses `[rows, length]`.
 * @param counts - weight of each loss, `[rows, length]`; all equal if missing
 * @param skip - leading entries of a row of `counts`, and as many last ones of a row of losses, that do not
 *   count: the loss of a token is in the place of the token before it
 */
function meanByRow(
  losses: Float64Array,
  {
    rows,
    counts,
    skip,
  }: { readonly rows: number; readonly counts: Float32Array | undefined; readonly skip: number },
): Float64Array {
  const length = losses.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    let total = 0;
    for (let i = row * length; i < (row + 1) * length - skip; i++) {
      const count = counts === undefined ? 1 : (counts[i + skip] as number);
      // A loss of weight 0 may be infinite.
      if (count === 0) continue;
      sum += count * (losses[i] as number);
      total += count;
    }
    return total === 0 ? 0 : sum / total;
  });
}
