import type { Tensor } from "@isthmus/core";

/**
 * Numbers of a constant input of a node, in row-major order; undefined if it is not constant or not given.
 * @param context - what a rule sees of the node
 */
export function constantNumbers(
  { constant }: { readonly constant: (input: number) => Tensor | undefined },
  input: number,
): number[] | undefined {
  const tensor = constant(input);
  return tensor === undefined ? undefined : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
