import type { Tensor, TensorInfo } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { AxisPlan } from "../layout/axis-plan.ts";

/** Plans of the axes that change: by the name of the tensor, then by axis. */
export type AxisPlans = ReadonlyMap<string, ReadonlyMap<number, AxisPlan>>;

/** A graph, with facts from two runs with inputs of different extents. */
export interface ProbedGraph {
  /** Graph of the two networks. */
  readonly graph: Graph;
  /** Element types and shapes of all values. */
  readonly types: ReadonlyMap<string, TensorInfo>;
  /** Values that depend on neither data nor weights, for the extents of the first run. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /**
   * The same values for the extents of the second run, which show the numbers in shapes that depend on the
   * inputs.
   */
  readonly otherConstants: ReadonlyMap<string, Tensor>;
  /** Element types and shapes of all values in the second run, with other extents of the inputs. */
  readonly otherTypes: ReadonlyMap<string, TensorInfo>;
  /** Names of the values that depend on the data. */
  readonly data: ReadonlySet<string>;
}
