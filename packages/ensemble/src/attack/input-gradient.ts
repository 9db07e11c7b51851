import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { createTensor, entry, InputError, type Tensor, toFloat32 } from "@isthmus/core";
import {
  type Architecture,
  assertLabelled,
  type DataSet,
  type FeedPlan,
  findLogits,
  type Graph,
  planFeeds,
  type Session,
  specialize,
} from "@isthmus/graph";
import { add, GraphBuilder, mul } from "@isthmus/graph/builder";
import { gradientName, typesOf } from "@isthmus/graph/ir";
import { attachLoss, type Objective } from "@isthmus/training";

/** Changed examples and their classes: one batch of the size for which graphs were made. */
export interface AttackedBatch {
  /** Examples, `[batch, ...]`. */
  readonly inputs: Tensor;
  /** Class of each example, `[batch]`. */
  readonly labels: Int32Array;
}

/** Weights of a network, by the names of the graph. */
export type NetworkWeights = ReadonlyMap<string, Tensor>;

/** Computation of the logits of examples, and of the gradient of the loss by the examples. */
export interface InputGradient {
  /** Number of rows of every batch. */
  readonly batch: number;
  /** Number of classes, which is the number of logits of an example. */
  readonly classes: number;
  /** Computes the logits of a batch, `[batch, classes]`. */
  logits(network: NetworkWeights, batch: AttackedBatch): Promise<Float32Array>;
  /**
   * Computes the gradient of the mean cross-entropy of `(logits + others) / networks` by the inputs: for a
   * single network, or for one of several networks whose logits are averaged.
   * @param mixed - sum of the logits of the other networks, and the number of all networks
   */
  gradient(
    network: NetworkWeights,
    batch: AttackedBatch,
    mixed?: { readonly others: Float32Array; readonly networks: number },
  ): Promise<Float32Array>;
  /** Frees the memory of the engine. */
  release(): Promise<void>;
}

/**
 * Prepares gradients of the cross-entropy of networks in inference mode by their inputs.
 * @param batchSize - number of rows of a batch, unless the graph takes another number only
 * @throws InputError if the data do not fit the graph, the graph needs an input beside the examples, examples
 *   are not floating-point numbers, or the graph has no logits for whole examples
 * @throws UnsupportedError if an operator has no gradient rule
 */
export async function createInputGradient(
  attempt: string,
  { graph, engine, data }: Architecture & { readonly data: DataSet },
  batchSize: number,
): Promise<InputGradient> {
  const plan = planFeeds(attempt, graph, data, batchSize);
  const batch = plan.fixedBatch ?? Math.min(batchSize, data.size);
  assertLabelled(attempt, data);
  const specialized = await specialize({ graph, engine }, { batch, extents: plan.extents });
  const { graph: typed, logits } = findLogits(attempt, specialized, { data });
  const classes = assertAttackable(attempt, { graph: typed, data, plan, logits });
  const { objective, others, scale } = mixLogits(typed, { logits, examples: plan.examples });
  const { loss } = objective;
  const only = { ...objective.graph, outputs: [{ name: loss }] };
  const derived = lowerBatchNorm(gradient(only, { loss, withRespectTo: [plan.examples] }));
  const slope = gradientName(loss, plan.examples);
  const sessions: Session[] = [];
  const release = async () => {
    for (const session of sessions) await session.release();
  };
  const load = async (loaded: Graph, output: string): Promise<RunGraph> => {
    const session = await engine.load({ ...loaded, outputs: [{ name: output }] });
    sessions.push(session);
    const names = new Set(loaded.weights.keys());
    return async (network, feeds) => {
      const weights = [...network].filter(([name]) => names.has(name));
      return toNumbers(entry(await session.run(new Map([...weights, ...feeds])), output, "output"));
    };
  };
  try {
    const [forward, backward] = [await load(typed, logits), await load(derived, slope)];
    const feed = ({ inputs, labels }: AttackedBatch) => plan.feedsOf({ inputs, labels });
    const alone = new Float32Array(batch * classes);
    return {
      batch,
      classes,
      release,
      logits: (network, examples) => forward(network, feed(examples)),
      gradient(network, examples, mixed = { others: alone, networks: 1 }) {
        const targets = createTensor("i64", [batch], BigInt64Array.from(examples.labels, BigInt));
        const feeds = new Map(feed(examples)).set(objective.targets.name, targets);
        feeds.set(others, createTensor("f32", [batch, classes], mixed.others));
        feeds.set(scale, createTensor("f32", [], Float32Array.of(1 / mixed.networks)));
        return backward(network, feeds);
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

type RunGraph = (network: NetworkWeights, feeds: ReadonlyMap<string, Tensor>) => Promise<Float32Array>;

const toNumbers = ({ data, dtype }: Tensor): Float32Array => toFloat32(data, dtype);

/**
 * Names of the inputs for other networks' logits and for the share of each network, and of the mean logits.
 */
const [OTHERS, SCALE, MIXED] = ["isthmus.others", "isthmus.share", "isthmus.mixed"];

/** Adds to a graph the cross-entropy of its logits, after others are added to them and the sum is scaled. */
function mixLogits(
  graph: Graph,
  { logits, examples }: { readonly logits: string; readonly examples: string },
): { readonly objective: Objective; readonly others: string; readonly scale: string } {
  const builder = GraphBuilder.from(graph);
  const scores = builder.value(logits);
  const others = builder.input(OTHERS, { dtype: scores.dtype, shape: scores.shape });
  const scale = builder.input(SCALE, { dtype: scores.dtype, shape: [] });
  const mixed = builder.rename(mul(add(scores, others), scale), MIXED);
  const objective = attachLoss(builder.build([mixed]), { kind: "cross-entropy", logits: MIXED, examples });
  return { objective, others: others.name, scale: scale.name };
}

/** Checks that the examples can be changed a little, and returns the number of classes. */
function assertAttackable(
  attempt: string,
  {
    graph,
    data,
    plan,
    logits,
  }: { readonly graph: Graph; readonly data: DataSet; readonly plan: FeedPlan; readonly logits: string },
): number {
  const types = typesOf(graph);
  const fail = (rule: string): InputError =>
    new InputError(`Cannot ${attempt} on "${data.name}" as ${rule}`, { input: data.name });
  const example = types.get(plan.examples);
  if (example?.dtype !== "f32") {
    throw fail(
      `examples must be f32 numbers, such as images, which can change a little: graph "${graph.name}" takes ${example?.dtype ?? "none"}`,
    );
  }
  const filled = new Set(plan.filled.map(({ name }) => name));
  const further = graph.inputs.find(({ name }) => name !== plan.examples && !filled.has(name));
  if (further !== undefined)
    throw fail(`the graph must take the examples alone: it takes "${further.name}", too`);
  const output = types.get(logits);
  const [, classes] = output?.shape ?? [];
  if (
    output?.dtype === "f32" &&
    output.shape.length === 2 &&
    classes !== undefined &&
    (data.labelling ?? "example") === "example"
  ) {
    if (data.classes <= classes) return classes;
    throw fail(
      `labels must be below the ${classes} classes of the graph: the largest is ${data.classes - 1}`,
    );
  }
  throw fail(
    `the network must score whole examples by f32 logits [examples, classes]: "${logits}" is ${output?.dtype ?? "none"} [${output?.shape.join(", ") ?? ""}]`,
  );
}
