import type { Tensor } from "@isthmus/core";

/**
 * Returns the numbers of a constant input of a node, in row-major order; undefined if the input is not
 * constant or left out.
 * @param context - facts about the node that a rule can read
 */
export function constantNumbers(
  { constant }: { readonly constant: (input: number) => Tensor | undefined },
  input: number,
): number[] | undefined {
  const tensor = constant(input);
  return tensor === undefined ? undefined : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
