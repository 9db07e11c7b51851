import type { PlaneSubject } from "@isthmus/barrier";
import { type Checkpoint, DTYPES, entry, OutOfRangeError, sizeOf } from "@isthmus/core";
import { type Architecture, type DataSet, type Graph, parameterNames } from "@isthmus/graph";
import { ATTEMPT, type ResolvedOptions } from "../landscape-options.ts";

/** Networks and options from which directions are made. */
export interface DirectionTask {
  /** Graph of the networks, with the engine that runs it. */
  readonly architecture: Architecture;
  /** Examples whose Hessian gives eigenvectors; not read for other directions. */
  readonly data: DataSet;
  /** The network in the middle, in memory. */
  readonly network: Checkpoint;
  /** Other networks, in memory. */
  readonly others: readonly PlaneSubject[];
  /** Names of the parameters that directions move. */
  readonly names: readonly string[];
  /** Options of the landscape, with all defaults filled in. */
  readonly options: ResolvedOptions;
}

/**
 * Lists the parameters that directions move: all, or only those with at least two axes.
 * @throws OutOfRangeError if they have fewer elements than there are directions
 */
export function movedNames(graph: Graph, { vectors, dimensions }: ResolvedOptions): string[] {
  const all = parameterNames(graph);
  const shapeOf = (name: string) => entry(graph.weights, name, "weight").shape;
  const names = vectors === "move" ? all : all.filter((name) => shapeOf(name).length > 1);
  const elements = names.reduce((sum, name) => sum + sizeOf(shapeOf(name)), 0);
  if (dimensions <= elements) return names;
  const which = vectors === "move" ? "" : " of two axes and more";
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "dimensions" must be at most the number of parameters${which}, ${elements} in graph "${graph.name}": it is ${dimensions}`,
  );
}

/**
 * Lists the tensors that differences between networks move: the parameters that directions move; and if these
 * are all parameters and directions are not scaled, running statistics, too, as each network has its own
 * statistics.
 */
export function differingNames({ architecture: { graph }, names, options }: DirectionTask): string[] {
  if (options.vectors === "ignore" || options.normalization !== "none") return [...names];
  return [...graph.weights].filter(([, { dtype }]) => DTYPES[dtype].float).map(([name]) => name);
}
