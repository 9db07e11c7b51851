import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import {
  at,
  type Checkpoint,
  createTensor,
  DTYPES,
  entry,
  InputError,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import {
  type Architecture,
  bindWeights,
  createFeedHolder,
  type DataSet,
  extractSubgraph,
  holdFeeds,
  planFeeds,
  type Session,
  softmaxInto,
  specialize,
  type WeightInfo,
} from "@isthmus/graph";
import { gradientName } from "@isthmus/graph/ir";
import { areOutputsNumbers, attachSoftTargets, type SoftObjective, toTrainingMode } from "@isthmus/training";
import { masksOfOnes } from "../../straight-through/masks-of-ones.ts";
import { blendInto, equalShares, type Shares } from "./blend.ts";

/** Weights of a network by name. */
type Weights = ReadonlyMap<string, Tensor>;

/**
 * The loss of means of networks against the same mean of the predictions of all, by batches. No labels are
 * needed.
 */
export interface SoftMidpoint {
  /** Number of batches; examples beyond whole batches are not used. */
  readonly batches: number;
  /** Names of the weights by which gradients are taken. */
  readonly parameters: readonly string[];
  /** Computes the mean loss of the first batches, in nats, against the mean predictions by shares. */
  evaluate(weights: Weights, options: EvaluateMidpointOptions): Promise<number>;
  /**
   * Loss of one batch against the sum of `shares[k] p_k`, and its gradients by weight, which the next step
   * overwrites, and which may lie on the engine's device, so that only its sessions can take them.
   */
  step(
    weights: Weights,
    batch: number,
    shares: Shares,
  ): Promise<{ readonly loss: number; readonly gradients: Weights }>;
  /** Frees the sessions of the engine. */
  release(): Promise<void>;
}

/** Options of {@link SoftMidpoint.evaluate}. */
export interface EvaluateMidpointOptions {
  /** Batches to measure on, the first ones. */
  readonly batches: number;
  /** Shares of the networks in the mean that is measured. @defaultValue equal ones */
  readonly shares?: Shares | undefined;
  /** Signal that stops the measurement, checked before each batch. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prepares {@link SoftMidpoint}: runs all networks once on all examples and keeps their probabilities,
 * `examples * positions * classes` numbers each, or their outputs if these are numbers with targets of
 * their own.
 *
 * @param withRespectTo - weights by which gradients are taken, if they are parameters; other gradients would
 *   be computed in vain
 * @throws InputError if the data do not fit the graph, or are fewer than one batch
 * @throws MismatchError if the output that is scored has no classes
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function createSoftMidpoint(
  { graph, engine }: Architecture,
  networks: readonly Checkpoint[],
  data: DataSet,
  { batchSize, withRespectTo }: { readonly batchSize: number; readonly withRespectTo: Iterable<string> },
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
  const feedsOf = (index: number) => plan.feedsOf(data.read(index * batch, (index + 1) * batch));
  const areNumbers = areOutputsNumbers(graph, data);
  const objective = attachSoftTargets(typed, areNumbers);
  const logits = await engine.load(extractSubgraph(objective.graph, [], [objective.logits]));
  const probabilities: (readonly Float32Array[])[] = [];
  try {
    for (const network of networks) {
      const weights = await holdFeeds(logits, await bindWeights(graph, network));
      const list: Float32Array[] = [];
      for (let index = 0; index < batches; index++) {
        const results = await logits.run(new Map([...weights, ...feedsOf(index)]));
        const { data: values } = entry(results, objective.logits, "output");
        list.push(
          areNumbers ? Float32Array.from(values as Float32Array) : probabilitiesOf(values, objective),
        );
      }
      probabilities.push(list);
    }
  } finally {
    await logits.release();
  }
  const parameters = [...withRespectTo].filter((name) => isParameter(graph.weights.get(name)));
  return loadMidpoint({ graph, engine }, objective, { batches, probabilities, feedsOf, parameters });
}

function probabilitiesOf(values: Tensor["data"], { shape }: SoftObjective): Float32Array {
  const classes = at(shape, shape.length - 1, "axis of logits");
  return Float32Array.from(softmaxInto(values as Float32Array, classes, new Float64Array(values.length)));
}

/** The batches that a midpoint is measured on. */
interface SoftBatches {
  readonly batches: number;
  /** Probabilities, or numbers, that each network gives each batch. */
  readonly probabilities: readonly (readonly Float32Array[])[];
  /** Feeds of a batch, without targets. */
  readonly feedsOf: (index: number) => Iterable<[string, Tensor]>;
  readonly parameters: readonly string[];
}

function isParameter(info: WeightInfo | undefined): boolean {
  return info?.role === "parameter" && DTYPES[info.dtype].float;
}

/** Loads the graphs of the loss and of its gradients. */
async function loadMidpoint(
  { graph, engine }: Architecture,
  { graph: scored, loss, targets, shape }: SoftObjective,
  { batches, probabilities, feedsOf, parameters }: SoftBatches,
): Promise<SoftMidpoint> {
  const mode = toTrainingMode(scored);
  const forward = { ...mode.graph, outputs: [{ name: loss }] };
  const differentiated =
    parameters.length === 0 ? forward : gradient(forward, { loss, withRespectTo: parameters });
  const masks = masksOfOnes(mode);
  const blended = createTensor("f32", shape, new Float32Array(sizeOf(shape)));
  const targetsOf = (index: number, shares: Shares): Tensor => {
    const parts = probabilities.map((list) => at(list, index, "batch"));
    blendInto(parts, shares, blended.data as Float32Array);
    return blended;
  };
  const gradients = new Map(
    parameters.map((name) => {
      const { shape: extents } = entry(graph.weights, name, "weight");
      return [name, createTensor("f32", extents, new Float32Array(sizeOf(extents)))];
    }),
  );
  const total = createTensor("f32", [], new Float32Array(1));
  const out = new Map([[loss, total]]);
  for (const [name, tensor] of gradients) out.set(gradientName(loss, name), tensor);
  const plain = await engine.load(lowerBatchNorm(forward));
  const runOf = (session: Session) => {
    const hold = createFeedHolder(session);
    return async (weights: Weights, index: number, shares: Shares) => {
      const held = await hold(new Map([...weights, ...masks]));
      return session.run(new Map([...held, ...feedsOf(index), [targets, targetsOf(index, shares)]]), out);
    };
  };
  const runPlain = runOf(plain);
  const staying = new Set([...gradients.keys()].map((name) => gradientName(loss, name)));
  // Loaded when a step is made: a closed form alone needs no gradients.
  let backward: { readonly session: Session; readonly run: ReturnType<typeof runOf> } | undefined;
  return {
    batches,
    parameters,
    async evaluate(weights, { batches: count, shares = equalShares(probabilities.length), signal }) {
      let sum = 0;
      const some = Math.min(count, batches);
      for (let index = 0; index < some; index++) {
        signal?.throwIfAborted();
        sum += Number(entry(await runPlain(weights, index, shares), loss, "loss").data[0]);
      }
      return sum / some;
    },
    async step(weights, index, shares) {
      if (backward === undefined) {
        const session = await engine.load(lowerBatchNorm(differentiated), { staying });
        backward = { session, run: runOf(session) };
      }
      await backward.run(weights, index, shares);
      return { loss: Number(total.data[0]), gradients };
    },
    async release() {
      await plain.release();
      await backward?.session.release();
    },
  };
}
