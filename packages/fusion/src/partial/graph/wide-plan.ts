import type { Graph } from "@isthmus/graph";
import type { SeparableGraph, Widening } from "./plan-widening.ts";

/** Plan of a wide network without its weights. */
export interface WidePlan {
  /** Graph of the two networks, with the symmetries whose units can be kept apart. */
  readonly separable: SeparableGraph;
  /** Plans of the axes of all weights and values. */
  readonly widening: Widening;
  /** Graph of the wide network. */
  readonly graph: Graph;
}
