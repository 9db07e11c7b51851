import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { InputError, type Tensor } from "@isthmus/core";
import { type DataSet, type Engine, type Graph, planFeeds, type Session, specialize } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { attachLoss, createTargetFiller, lossOfData, toTrainingMode } from "@isthmus/training";
import { masksOfOnes } from "./masks-of-ones.ts";

/** Mean loss of batches of examples, and its gradients; batch norms take the statistics of the batch. */
export interface BatchLoss {
  /** Number of whole batches; examples beyond them are not used. */
  readonly batches: number;
  /** Names of the parameters by which gradients are taken. */
  readonly parameters: readonly string[];
  /** Computes the mean loss of all whole batches, in nats. */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal: AbortSignal | undefined): Promise<number>;
  /** Computes the gradient of the mean loss of one batch, by parameter. */
  gradientsOf(
    weights: ReadonlyMap<string, Tensor>,
    batch: number,
  ): Promise<ReadonlyMap<string, Float32Array>>;
  /** Frees the sessions of the engine. */
  release(): Promise<void>;
}

/**
 * Prepares the loss by which any network of an architecture is evaluated, in training mode but with dropout
 * off: cross-entropy, for texts the cross-entropy of the next token.
 * @throws InputError if the data do not fit the graph, or are fewer than the graph takes at once
 * @throws MismatchError if the output that is scored is not a logit for each class
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function createBatchLoss(
  { graph, engine }: { readonly graph: Graph; readonly engine: Engine },
  data: DataSet,
  batchSize: number,
): Promise<BatchLoss> {
  const plan = planFeeds("match straight through", graph, data, batchSize);
  const batch = plan.fixedBatch ?? Math.min(batchSize, data.size);
  assertOneBatch(data, batch);
  const typed = await specialize({ graph, engine }, { batch, extents: plan.extents });
  const objective = attachLoss(typed, lossOfData(graph, data));
  const step = { ...objective, batch, targets: objective.targets.name };
  const mode = toTrainingMode(objective.graph);
  const outputs = [{ name: objective.loss }];
  const plain = lowerBatchNorm({ ...mode.graph, outputs });
  const differentiated = gradient({ ...mode.graph, outputs }, { loss: objective.loss });
  const parameters = [...graph.weights.keys()].filter((name) =>
    differentiated.outputs.some((output) => output.name === gradientName(objective.loss, name)),
  );
  const masks = masksOfOnes(mode);
  const sessions: Session[] = [];
  const feedsOf = (weights: ReadonlyMap<string, Tensor>, at: number): Map<string, Tensor> => {
    const read = data.read(at * batch, (at + 1) * batch);
    const filler = createTargetFiller(step, read, { classes: data.classes, data, weighting: "examples" });
    filler.fill();
    return new Map([...weights, ...plan.feedsOf(read), ...filler.feeds, ...masks]);
  };
  const release = async () => {
    for (const session of sessions.splice(0)) await session.release();
  };
  try {
    sessions.push(await engine.load(plain), await engine.load(lowerBatchNorm(differentiated)));
  } catch (error) {
    await release();
    throw error;
  }
  const batches = Math.floor(data.size / batch);
  return {
    batches,
    parameters,
    async evaluate(weights, signal) {
      let sum = 0;
      for (let at = 0; at < batches; at++) {
        signal?.throwIfAborted();
        const results = await sessions[0]?.run(feedsOf(weights, at));
        sum += Number(results?.get(objective.loss)?.data[0]);
      }
      return sum / batches;
    },
    async gradientsOf(weights, at) {
      const results = await sessions[1]?.run(feedsOf(weights, at));
      return new Map(
        parameters.map((name) => [
          name,
          results?.get(gradientName(objective.loss, name))?.data as Float32Array,
        ]),
      );
    },
    release,
  };
}

/** Checks that the examples fill at least one batch, as only whole batches are taken. */
function assertOneBatch({ name, size }: DataSet, batch: number): void {
  if (size >= batch) return;
  throw new InputError(
    `Cannot match straight through on "${name}" as the graph takes batches of ${batch} examples: there are ${size}, take at least as many`,
    { input: name },
  );
}
