import { allocateData, createTensor, fromFloat64Into, sizeOf, type Tensor } from "@isthmus/core";
import {
  assertDataFits,
  type DataSet,
  type Engine,
  type Graph,
  gradient,
  gradientName,
  lowerBatchNorm,
  type Session,
  specialize,
} from "@isthmus/graph";
import { attachLoss, toTrainingMode } from "@isthmus/training";

/** Mean loss of batches of examples, and its gradients; batch norms take the statistics of the batch. */
export interface BatchLoss {
  readonly batches: number;
  /** Names of the parameters that gradients are of. */
  readonly parameters: readonly string[];
  /** Mean loss of all whole batches, in nats. */
  evaluate(weights: ReadonlyMap<string, Tensor>, signal: AbortSignal | undefined): Promise<number>;
  /** Gradient of the mean loss of one batch, by parameter. */
  gradientsOf(
    weights: ReadonlyMap<string, Tensor>,
    batch: number,
  ): Promise<ReadonlyMap<string, Float32Array>>;
  release(): Promise<void>;
}

/**
 * Prepares cross-entropy of any network of an architecture, in training mode but with dropout off.
 * @throws InputError if the data do not fit the graph
 * @throws MismatchError if the graph's output is not a logit for each class
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function createBatchLoss(
  { graph, engine }: { readonly graph: Graph; readonly engine: Engine },
  data: DataSet,
  batchSize: number,
): Promise<BatchLoss> {
  const batch = Math.min(batchSize, data.size);
  assertDataFits("match straight through", graph, data, batch);
  const objective = attachLoss(await specialize(graph, engine, { batch }), { kind: "cross-entropy" });
  const mode = toTrainingMode(objective.graph);
  const outputs = [{ name: objective.loss }];
  const plain = lowerBatchNorm({ ...mode.graph, outputs });
  const differentiated = gradient({ ...mode.graph, outputs }, { loss: objective.loss });
  const parameters = [...graph.weights.keys()].filter((name) =>
    differentiated.outputs.some((output) => output.name === gradientName(objective.loss, name)),
  );
  const sessions: Session[] = [];
  const feedsOf = (weights: ReadonlyMap<string, Tensor>, at: number): Map<string, Tensor> => {
    const { inputs, labels } = data.read(at * batch, (at + 1) * batch);
    const targets = createTensor("i64", [batch], BigInt64Array.from(labels, BigInt));
    const feeds = new Map(weights).set(objective.examples, inputs).set(objective.targets.name, targets);
    for (const { name, dtype, shape } of mode.masks) {
      const ones = new Float64Array(sizeOf(shape)).fill(1);
      feeds.set(
        name,
        createTensor(dtype, shape, fromFloat64Into(ones, dtype, allocateData(dtype, ones.length))),
      );
    }
    return feeds;
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
