import type { Graph } from "@isthmus/graph";
import type { SeparableGraph, Widening } from "./plan-widening.ts";

/** Plan of a wide network without its weights. */
export interface WidePlan {
  readonly separable: SeparableGraph;
  readonly widening: Widening;
  /** Graph of the wide network. */
  readonly graph: Graph;
}
