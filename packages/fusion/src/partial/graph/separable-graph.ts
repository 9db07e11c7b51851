import type { Tensor, TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { AxisPlan } from "../layout/axis-plan.ts";

/** Plans of the axes of tensors that change: by name, then by axis. */
export type AxisPlans = ReadonlyMap<string, ReadonlyMap<number, AxisPlan>>;

/** A graph, and what a few runs show of it. */
export interface ProbedGraph {
  readonly graph: Graph;
  /** Element types and shapes of all values. */
  readonly types: ReadonlyMap<string, TensorInfo>;
  /** Values that depend on neither data nor weights, for these extents of the inputs. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** The same for inputs of other extents; shows which numbers of a shape depend on them. */
  readonly otherConstants: ReadonlyMap<string, Tensor>;
  readonly otherTypes: ReadonlyMap<string, TensorInfo>;
  /** Values that depend on the data. */
  readonly data: ReadonlySet<string>;
}
