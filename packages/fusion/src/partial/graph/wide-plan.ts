import type { Graph } from "@isthmus/graph";
import type { SeparableGraph, Widening } from "./plan-widening.ts";

/** Everything that is known of a wide network before it has weights. */
export interface WidePlan {
  readonly separable: SeparableGraph;
  readonly widening: Widening;
  /** Graph of the wide network. */
  readonly graph: Graph;
}
