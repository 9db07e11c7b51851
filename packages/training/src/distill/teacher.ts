import {
  allocateData,
  type Checkpoint,
  convertData,
  createTensor,
  entry,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import {
  type Batch,
  createFeedHolder,
  type DataSet,
  type Engine,
  extractSubgraph,
  type Graph,
  planFeeds,
  specialize,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import { attachTaught } from "../loss/attach-loss.ts";
import type { DistillationLoss } from "../loss/loss-spec.ts";
import type { OutputObjective } from "../objective.ts";
import { taughtLoss } from "./taught-loss.ts";

/** An expert that teaches a network, and the examples that it teaches on. */
export interface Teacher {
  /**
   * Architecture of the network that learns from the expert. Several experts may have one graph, or graphs
   * that share some weights by name, such as the weights of a body below heads.
   */
  readonly graph: Graph;
  /** Architecture of the expert, whose outputs must have the shape of the network's. @defaultValue `graph` */
  readonly ownGraph?: Graph | undefined;
  /** Weights of the expert, under the names of its architecture. */
  readonly weights: Checkpoint;
  /** Examples; labels are not used, except that they tell which predictions count. */
  readonly data: DataSet;
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** A graph that answers for experts of one architecture, batch by batch. */
export interface LoadedTeacher {
  /** The loss against the answers, and the data inputs that it takes. */
  readonly objective: OutputObjective;
  /**
   * Computes the output of an expert on a batch, in memory that the next answer overwrites.
   * @param weights - weights of the expert; the same objects for the same expert
   * @param feeds - data inputs of the batch, as the network that learns takes them
   * @param batch - the batch itself, for an expert of another architecture
   */
  answer(weights: Tensors, feeds: Tensors, batch: Batch): Promise<Tensor>;
  /** Frees the engine's session. */
  release(): Promise<void>;
}

/** Sizes and the loss of the batches that an expert answers. */
export interface Teaching {
  /** Loss against the answers. */
  readonly loss: DistillationLoss;
  /** Examples in a batch. */
  readonly batch: number;
  /** Extents of symbolic dimensions other than the batch, by name. */
  readonly extents: Readonly<Record<string, number>>;
  /** Threads of the engine; 0 lets it choose. */
  readonly threads: number;
}

/**
 * Loads the graph by which experts answer, in inference mode.
 * @throws MismatchError if an expert's outputs have another shape than the network's
 */
export async function loadTeacher(
  teacher: Omit<Teacher, "weights">,
  engine: Engine,
  { loss, batch, extents, threads }: Teaching,
): Promise<LoadedTeacher> {
  const { graph, ownGraph } = teacher;
  const objective = attachTaught(await specialize({ graph, engine }, { batch, extents }), loss);
  const planned = ownGraph && (await planOwn({ ...teacher, ownGraph }, engine, batch));
  const { graph: whole, output } = planned?.objective ?? objective;
  const { targets } = objective;
  const answering = extractSubgraph(whole, [], [output]);
  const { dtype, shape } = entry(typesOf(whole), output, "output");
  assertAlike(teacher, shape, entry(typesOf(objective.graph), objective.output, "output").shape);
  const answered = createTensor(dtype, shape, allocateData(dtype, sizeOf(shape)));
  const names = new Set([...answering.inputs.map(({ name }) => name), ...answering.weights.keys()]);
  const used = (tensors: Tensors) => [...tensors].filter(([name]) => names.has(name));
  const session = await engine.load(answering, { threads });
  const hold = createFeedHolder(session);
  const out = new Map([[output, answered]]);
  const { dtype: taken = dtype } = targets;
  return {
    objective,
    async answer(weights, feeds, read) {
      const held = await hold(new Map(used(weights)));
      await session.run(new Map([...held, ...used(planned?.plan.feedsOf(read) ?? feeds)]), out);
      return taken === dtype
        ? answered
        : createTensor(taken, shape, convertData(answered.data, dtype, taken));
    },
    release: () => session.release(),
  };
}

/** Plans how an expert of another architecture than the network's answers. */
async function planOwn(
  { ownGraph, data }: Pick<Teacher, "data"> & { readonly ownGraph: Graph },
  engine: Engine,
  batch: number,
) {
  const plan = planFeeds("learn from an expert", ownGraph, data, batch);
  const typed = await specialize({ graph: ownGraph, engine }, { batch, extents: plan.extents });
  // Answers are softened where they are compared.
  return { plan, objective: attachTaught(typed, taughtLoss(ownGraph, data, 1)) };
}

/** Checks that an expert's outputs have the shape of the network's. @throws MismatchError if not */
function assertAlike(
  { graph, ownGraph }: Pick<Teacher, "graph" | "ownGraph">,
  shape: readonly number[],
  expected: readonly number[],
): void {
  if (sameShape(shape, expected)) return;
  throw new MismatchError(
    `Cannot learn from an expert of graph "${ownGraph?.name}" as its outputs must have the shape of those of graph "${graph.name}", ${formatShape(expected)}: they are ${formatShape(shape)}; an expert must predict the same classes, or tokens of the same vocabulary, whose tables have as many rows`,
    { parameters: [] },
  );
}
