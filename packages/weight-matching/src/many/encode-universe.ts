import { at } from "@isthmus/core";
import { type EncodedAlignment, encodeAlignment, wholeSpec } from "@isthmus/symmetry";
import type { AlignManyResult } from "./align-many.ts";
import type { MatchManyResult } from "./match-many.ts";

/** Permutations of several networks as JSON, which `isthmus align` writes beside the networks. */
export interface EncodedUniverse {
  /** Name of the network in whose coordinates all are put. */
  readonly reference: string;
  /** Method by which they were matched. */
  readonly many: MatchManyResult["many"];
  /** Networks with the permutations that bring each to the coordinates of the reference. */
  readonly networks: readonly { readonly checkpoint: string; readonly alignment: EncodedAlignment }[];
}

/**
 * Describes the permutations of several networks as JSON.
 * @param names - names of the networks, such as their paths
 */
export function encodeUniverse(
  { aligned, match, symmetries }: AlignManyResult,
  names: readonly string[],
): EncodedUniverse {
  return {
    reference: at(names, match.reference, "reference"),
    many: match.many,
    networks: aligned.map(({ alignment }, i) => ({
      checkpoint: at(names, i, "name"),
      alignment: encodeAlignment(wholeSpec(symmetries), alignment),
    })),
  };
}

/**
 * Lists the names of the networks in JSON that {@link encodeUniverse} may have written; empty for any other
 * JSON.
 */
export function namesInUniverse(json: unknown): readonly string[] {
  const { networks } = Object(json) as { readonly networks?: unknown };
  if (!Array.isArray(networks)) return [];
  return networks
    .map((network: unknown) => (Object(network) as { readonly checkpoint?: unknown }).checkpoint)
    .filter((name) => typeof name === "string");
}
