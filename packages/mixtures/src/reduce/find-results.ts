import { UnsupportedError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { RouterLayer } from "../routers/discover-routers.ts";

/**
 * Finds the results of the experts of a router before they are weighed: the values that their shares
 * multiply.
 * @returns names of values `[tokens, width]`, in the order of experts
 * @throws UnsupportedError if shares are not taken apart by one node, or do not multiply results
 */
export function findResults({ name, nodes }: Graph, { shares, experts, ...router }: RouterLayer): string[] {
  const split = nodes.find(
    ({ op, inputs, outputs }) => op === "Split" && inputs[0] === shares.value && outputs.length === experts,
  );
  return (split?.outputs ?? [shares.value]).map((share) => {
    const product = nodes.find(({ op, inputs }) => op === "Mul" && inputs.includes(share));
    const weighed = product?.inputs.find((input) => input !== share);
    if (split !== undefined && weighed !== undefined) return weighed;
    throw new UnsupportedError(
      `Cannot find the results of "${router.name}" in graph "${name}" as they must be multiplied by the parts of "${shares.value}": they are not`,
      { feature: "experts" },
    );
  });
}
