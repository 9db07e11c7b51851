import { InvariantError } from "@isthmus/core";
import type { ServerBlock } from "./server-step.ts";

/**
 * Returns the state of an optimiser in a block; the state exists if the optimiser lists it among its states.
 */
export function stateArray({ states }: ServerBlock, name: string): Float64Array {
  const state = states[name];
  if (state !== undefined) return state;
  throw new InvariantError(`No state "${name}" of the server's optimiser; please report this`);
}
