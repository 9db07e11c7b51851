import {
  allocateData,
  type Checkpoint,
  convertData,
  createTensor,
  entry,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import {
  type Architecture,
  createFeedHolder,
  type DataSet,
  extractSubgraph,
  type Graph,
  specialize,
} from "@isthmus/graph";
import { typesOf } from "@isthmus/graph/ir";
import { attachTaught } from "../loss/attach-loss.ts";
import type { DistillationLoss } from "../loss/loss-spec.ts";
import type { OutputObjective } from "../objective.ts";

/** An expert that teaches a network, and the examples that it teaches on. */
export interface Teacher {
  /**
   * Architecture of the expert and of the network that learns from it. Several experts may have one graph, or
   * graphs that share some weights by name, such as the weights of a body below heads.
   */
  readonly graph: Graph;
  /** Weights of the expert, under the graph's names. */
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
   * @param feeds - data inputs of the batch
   */
  answer(weights: Tensors, feeds: Tensors): Promise<Tensor>;
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

/** Loads the graph by which experts answer, in inference mode. */
export async function loadTeacher(
  { graph, engine }: Architecture,
  { loss, batch, extents, threads }: Teaching,
): Promise<LoadedTeacher> {
  const typed = await specialize({ graph, engine }, { batch, extents });
  const objective = attachTaught(typed, loss);
  const { output, targets } = objective;
  const answering = extractSubgraph(objective.graph, [], [output]);
  const { dtype, shape } = entry(typesOf(objective.graph), output, "output");
  const answered = createTensor(dtype, shape, allocateData(dtype, sizeOf(shape)));
  const names = new Set([...answering.inputs.map(({ name }) => name), ...answering.weights.keys()]);
  const used = (tensors: Tensors) => [...tensors].filter(([name]) => names.has(name));
  const session = await engine.load(answering, { threads });
  const hold = createFeedHolder(session);
  const out = new Map([[output, answered]]);
  const { dtype: taken = dtype } = targets;
  return {
    objective,
    async answer(weights, feeds) {
      const held = await hold(new Map(used(weights)));
      await session.run(new Map([...held, ...used(feeds)]), out);
      return taken === dtype
        ? answered
        : createTensor(taken, shape, convertData(answered.data, dtype, taken));
    },
    release: () => session.release(),
  };
}
