import type { Architecture } from "@isthmus/graph";
import type { Symmetries } from "./derive-spec.ts";

/** An architecture together with its symmetries, as `discoverSymmetries` finds them. */
export interface SymmetricArchitecture extends Architecture {
  /** Permutation symmetries of the graph, with the records that predict how its values move. */
  readonly symmetries: Symmetries;
}
