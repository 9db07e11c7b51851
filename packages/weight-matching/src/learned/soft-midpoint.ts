import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import {
  allocateData,
  at,
  type Checkpoint,
  createTensor,
  entry,
  fromFloat64Into,
  InputError,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, planFeeds, type Session, softmaxInto, specialize } from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { attachSoftTargets, toTrainingMode } from "@isthmus/training";

/** Weights of a network by name. */
type Weights = ReadonlyMap<string, Tensor>;

/**
 * The loss of networks between two others against the mean of the predictions of both, by batches. No labels
 * are needed.
 */
export interface SoftMidpoint {
  /** Number of batches; examples beyond whole batches are not used. */
  readonly batches: number;
  /** Names of the parameters that gradients are of. */
  readonly parameters: readonly string[];
  /** Mean loss of the first batches, in nats, against the mean of both ends at `t`. */
  evaluate(weights: Weights, batches: number, signal?: AbortSignal): Promise<number>;
  /** Loss of one batch against `(1 - t) p_A + t p_B`, and its gradients by parameter. */
  step(
    weights: Weights,
    batch: number,
    t: number,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Float32Array> }>;
  release(): Promise<void>;
}

/**
 * Prepares {@link SoftMidpoint}: runs both ends once on all examples and keeps their probabilities,
 * `examples * positions * classes` numbers each.
 *
 * @throws InputError if the data do not fit the graph, or are fewer than one batch
 * @throws MismatchError if the output that is scored has no classes
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function createSoftMidpoint(
  { graph, engine }: Architecture,
  ends: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  batchSize: number,
): Promise<SoftMidpoint> {
  const plan = planFeeds("learn an alignment", graph, data, batchSize);
  const batch = plan.fixedBatch ?? Math.min(batchSize, data.size);
  const batches = Math.floor(data.size / batch);
  if (batches === 0) {
    throw new InputError(
      `Cannot learn an alignment on "${data.name}" as the graph takes batches of ${batch} examples: there are ${data.size}, take at least as many`,
      { input: data.name },
    );
  }
  const typed = await specialize({ graph, engine }, { batch, extents: plan.extents });
  const { graph: scored, loss, targets, logits, shape } = attachSoftTargets(typed);
  const mode = toTrainingMode(scored);
  const outputs = [{ name: loss }];
  const differentiated = gradient({ ...mode.graph, outputs }, { loss });
  const parameters = [...graph.weights.keys()].filter((name) =>
    differentiated.outputs.some((output) => output.name === gradientName(loss, name)),
  );
  const feedsOf = (weights: Weights, index: number): Map<string, Tensor> => {
    const read = data.read(index * batch, (index + 1) * batch);
    const masks = mode.masks.map(({ name, dtype, shape: extents }): [string, Tensor] => [
      name,
      createTensor(
        dtype,
        extents,
        fromFloat64Into(
          new Float64Array(sizeOf(extents)).fill(1),
          dtype,
          allocateData(dtype, sizeOf(extents)),
        ),
      ),
    ]);
    return new Map([...weights, ...plan.feedsOf(read), ...masks]);
  };
  const sessions: Session[] = [];
  const release = async () => {
    for (const session of sessions.splice(0)) await session.release();
  };
  try {
    const plain = await engine.load(lowerBatchNorm({ ...mode.graph, outputs }));
    sessions.push(plain);
    const backward = await engine.load(lowerBatchNorm(differentiated));
    sessions.push(backward);
    const probabilities = await readEnds();
    const targetsOf = (index: number, t: number): Tensor => {
      const [one, two] = probabilities.map((list) => entry(list, index, "batch"));
      const mean = new Float32Array(sizeOf(shape));
      for (let i = 0; i < mean.length; i++)
        mean[i] = (1 - t) * ((one as Float32Array)[i] as number) + t * ((two as Float32Array)[i] as number);
      return createTensor("f32", shape, mean);
    };
    return {
      batches,
      parameters,
      async evaluate(weights, count, signal) {
        let sum = 0;
        const some = Math.min(count, batches);
        for (let index = 0; index < some; index++) {
          signal?.throwIfAborted();
          const feeds = feedsOf(weights, index).set(targets, targetsOf(index, 0.5));
          sum += Number((await plain.run(feeds)).get(loss)?.data[0]);
        }
        return sum / some;
      },
      async step(weights, index, t) {
        const feeds = feedsOf(weights, index).set(targets, targetsOf(index, t));
        const results = await backward.run(feeds);
        const gradients = parameters.map((name): [string, Float32Array] => [
          name,
          entry(results, gradientName(loss, name), "gradient").data as Float32Array,
        ]);
        return { loss: Number(entry(results, loss, "loss").data[0]), gradients: new Map(gradients) };
      },
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }

  /** Runs both ends on all batches as they are evaluated, and returns their probabilities by batch. */
  async function readEnds(): Promise<readonly Map<number, Float32Array>[]> {
    const session = await engine.load({ ...typed, outputs: [{ name: logits }] });
    try {
      const all: Map<number, Float32Array>[] = [];
      for (const end of ends) {
        const weights = await bindWeights(graph, end);
        const list = new Map<number, Float32Array>();
        for (let index = 0; index < batches; index++) {
          const read = data.read(index * batch, (index + 1) * batch);
          const results = await session.run(new Map([...weights, ...plan.feedsOf(read)]));
          const { data: values } = entry(results, logits, "output");
          const classes = at(shape, shape.length - 1, "axis of logits");
          const rows = softmaxInto(values as Float32Array, classes, new Float64Array(values.length));
          list.set(index, Float32Array.from(rows));
        }
        all.push(list);
      }
      return all;
    } finally {
      await session.release();
    }
  }
}
