import type { NetworkMaker } from "@isthmus/findings";
import { addMaker } from "@isthmus/measurements/use";
import { listTaskKinds } from "../tasks/task-kinds.ts";
import { listTakenKeys } from "./makers.ts";

/** Names that studies use already, by the sort of name. */
type TakenByStudies = { readonly [K in "kinds" | "makers" | "options"]: readonly string[] };

/** Lists the names that definitions of one's own cannot have, as studies use them already. */
export function takenByStudies(): TakenByStudies {
  return { kinds: listTaskKinds(), ...listTakenKeys() };
}

/**
 * Adds a maker of networks of one's own, which studies and tasks of this process can use from then on.
 * @returns a function that removes the maker again
 * @throws UsageError if its name, or the name of one of its options, is taken already
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { addNetworkMaker, defineNetworkMaker } from "isthmus";
 *
 * const maker = defineNetworkMaker({
 *   name: "copied",
 *   summary: "Copy a network",
 *   from: "network",
 *   make: async ({ network }) => network,
 * });
 * const remove = addNetworkMaker(maker);
 * assert.throws(() => addNetworkMaker(maker), /there is "copied" already/);
 * remove();
 * ```
 */
export function addNetworkMaker(maker: NetworkMaker): () => void {
  return addMaker(maker, takenByStudies());
}
