import { at, InputError, MismatchError } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  findLogits,
  type Graph,
  planFeeds,
  specialize,
} from "@isthmus/graph";
import {
  add,
  equal,
  GraphBuilder,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  slice,
  unsqueeze,
  type Value,
  where,
} from "@isthmus/graph/builder";

/** Name of the weight `[tasks]` with the share of each task. It is not trained. */
export const TASK_SHARES = "isthmus.tasks";
/** Name of the output with the cross-entropy of all tasks, weighted by their shares. */
export const TASK_LOSS = "isthmus.loss";

/** Graph of the training of a network of several heads, for batches of one size. */
export interface TaskGraph {
  /** Typed graph whose only output is the loss of all tasks, each weighted by its share. */
  readonly graph: Graph;
  /** Name of the data input for the examples. */
  readonly examples: string;
}

/**
 * Adds the loss of several tasks to a network: the sum of the cross-entropies of its outputs, each times the
 * share of its task. Shares are a weight of the network, so that blended networks blend their shares, too.
 * @param tasks - names of the arrays of labels, one for each output in their order
 * @throws InputError if there are fewer outputs than tasks, an output is not logits, or the data lack a task
 */
export async function attachTasks(
  attempt: string,
  { graph, engine, data }: Architecture & { readonly data: DataSet },
  { tasks, batch }: { readonly tasks: readonly string[]; readonly batch: number },
): Promise<TaskGraph> {
  assertTasks(attempt, { graph, data, tasks });
  const { examples, extents } = planFeeds(attempt, graph, data, batch);
  const heads = findHeads(attempt, await specialize({ graph, engine }, { batch, extents }), tasks.length);
  const builder = GraphBuilder.from(heads.graph);
  const shares = builder.weight(TASK_SHARES, { dtype: "f32", shape: [tasks.length] });
  const losses = tasks.map((task, i) => {
    const logits = builder.value(at(heads.logits, i, "head"));
    if (logits.shape.length !== 2 || logits.dtype !== "f32") {
      throw new InputError(
        `Cannot ${attempt} graph "${graph.name}" as each task needs f32 logits [examples, classes]: output "${logits.name}" is ${logits.dtype} [${logits.shape.join(", ")}]`,
        { input: graph.name },
      );
    }
    const labels = builder.input(task, { dtype: "i64", shape: [batch] });
    const share = reshape(slice(shares, [{ axis: 0, begin: i, end: i + 1 }]), []);
    return mul(crossEntropy(logits, labels), share);
  });
  const total = losses.reduce((sum, loss) => add(sum, loss));
  return { graph: builder.build([builder.rename(total, TASK_LOSS)]), examples };
}

/** Logits of each head of a network, and the graph that computes them. */
export interface Heads {
  /** Typed graph with the logits among its values. */
  readonly graph: Graph;
  /** Names of the logits, one for each task. */
  readonly logits: readonly string[];
}

/**
 * Finds the logits of the first outputs of a typed graph, each of which is a head, also if the output is a
 * softmax of logits.
 * @throws InputError if the cross-entropy of classes cannot be computed from one of them
 */
export function findHeads(attempt: string, typed: Graph, count: number): Heads {
  let graph = typed;
  const logits = typed.outputs.slice(0, count).map(({ name }) => {
    const head = findLogits(attempt, { ...graph, scored: name });
    graph = head.graph;
    return head.logits;
  });
  return { graph, logits };
}

/** Computes the mean cross-entropy of logits `[batch, classes]`. */
function crossEntropy(logits: Value, labels: Value): Value {
  const classes = at(logits.shape, 1, "axis of logits");
  const ids = logits.builder.numbers(
    Array.from({ length: classes }, (_, id) => id),
    "i64",
  );
  const picked = where(equal(unsqueeze(labels, [-1]), ids), logSoftmax(logits), 0);
  return neg(reduceMean(reduceSum(picked, { axes: [-1] })));
}

/** Checks that there are a head and labels for each task. */
export function assertTasks(
  attempt: string,
  {
    graph,
    data,
    tasks,
  }: { readonly graph: Graph; readonly data: DataSet; readonly tasks: readonly string[] },
): void {
  if (tasks.length < 2) {
    throw new MismatchError(
      `Cannot ${attempt} as there must be at least two tasks: there are ${tasks.length}`,
      {
        parameters: [],
      },
    );
  }
  if (graph.outputs.length < tasks.length) {
    throw new InputError(
      `Cannot ${attempt} graph "${graph.name}" as ${tasks.length} tasks need a head each: it has ${graph.outputs.length === 1 ? "one output" : `${graph.outputs.length} outputs`}; give a graph of ${tasks.length} outputs, or split one by splitHeads()`,
      { input: graph.name },
    );
  }
  const missing = tasks.find((task) => !data.features?.has(task));
  if (missing === undefined) return;
  const arrays = [...(data.features?.keys() ?? [])].join(", ") || "none";
  throw new InputError(
    `Cannot ${attempt} on "${data.name}" as there must be labels for every task: there is no array "${missing}", but ${arrays}`,
    { input: data.name },
  );
}

/**
 * Splits the one output of a network into heads of equally many classes, such as 20 logits into two of 10.
 * @param graph - graph, typed or not, whose scored output is split
 * @throws InputError if the number of logits is not a multiple of the number of heads
 */
export async function splitHeads({ graph, engine }: Architecture, heads: number): Promise<Graph> {
  const typed = await specialize({ graph, engine }, { batch: 2 });
  const scored = findLogits("split the output", typed);
  const builder = GraphBuilder.from(scored.graph);
  const logits = builder.value(scored.logits);
  const [, classes = 0] = logits.shape;
  if (logits.shape.length !== 2 || classes === 0 || classes % heads !== 0) {
    throw new InputError(
      `Cannot split the output of graph "${graph.name}" as its logits must divide into ${heads} heads: they are [${logits.shape.join(", ")}]`,
      { input: graph.name },
    );
  }
  const width = classes / heads;
  const parts = Array.from({ length: heads }, (_, i) =>
    builder.rename(slice(logits, [{ axis: 1, begin: i * width, end: (i + 1) * width }]), `head_${i + 1}`),
  );
  return builder.build(parts, { batchName: "N" });
}
