import type { Checkpoint, Tensor } from "@isthmus/core";
import {
  applyBinding,
  findBinding,
  type Graph,
  readGraph,
  type WeightBinding,
  type WeightSource,
} from "@isthmus/graph";

/** A checkpoint, and the weights of a graph made of it. */
export interface BoundNetwork {
  readonly checkpoint: Checkpoint;
  readonly binding: WeightBinding;
  /** Under the graph's names. */
  readonly weights: Checkpoint;
}

/**
 * Finds the weights of a graph in a checkpoint: by name, and by the values that the graph's file carries.
 * @throws MismatchError if some are not found; it lists them
 */
export async function bindNetwork(path: string, graph: Graph, checkpoint: Checkpoint): Promise<BoundNetwork> {
  const carries = path.toLowerCase().endsWith(".onnx");
  const embedded: ReadonlyMap<string, Tensor> = carries ? (await readGraph(path)).weights : new Map();
  const binding = await findBinding(graph, embedded, checkpoint);
  return { checkpoint, binding, weights: applyBinding(graph, binding, checkpoint) };
}

/** What `--json` says of a binding. */
export interface BindingSummary {
  /** Weights bound by name. */
  readonly byName: number;
  /** Sources of the others, by the graph's names. */
  readonly renamed: Readonly<Record<string, WeightSource>>;
  readonly unused: readonly string[];
}

/** Says which weights were bound by what. */
export function summarizeBinding({ sources, renamed, unused }: WeightBinding): BindingSummary {
  const entries = renamed.flatMap((name) => {
    const source = sources.get(name);
    return source === undefined ? [] : [[name, source] as const];
  });
  return { byName: sources.size - renamed.length, renamed: Object.fromEntries(entries), unused };
}
