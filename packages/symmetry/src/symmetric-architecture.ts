import type { Architecture } from "@isthmus/graph";
import type { Derivation } from "./derive-spec.ts";

/** An architecture together with its symmetries, as `discoverSymmetries` finds them. */
export interface SymmetricArchitecture extends Architecture {
  readonly symmetries: Derivation;
}
