import type { Architecture } from "@isthmus/graph";
import type { Symmetries } from "./derive-spec.ts";

/** An architecture together with its symmetries, as `discoverSymmetries` finds them. */
export interface SymmetricArchitecture extends Architecture {
  readonly symmetries: Symmetries;
}
