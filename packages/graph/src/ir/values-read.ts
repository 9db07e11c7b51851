import { capturedNames } from "./captured-names.ts";
import type { Node } from "./graph.ts";

/** Inputs of which operators read only the shape or the element type, by operator. */
const DESCRIBED_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Shape", [0]],
  ["Size", [0]],
  ["EyeLike", [0]],
  ["CastLike", [1]],
]);

/**
 * Lists the names of the values that the results of a node depend on, including values that its branches and
 * loop bodies read. Inputs that only give a shape (`Shape`, `Size`, `EyeLike`) or an element type (the second
 * input of `CastLike`) are left out: the results do not depend on their numbers.
 */
export function valuesRead(node: Node): string[] {
  const described = node.domain === "" ? DESCRIBED_INPUTS.get(node.op) : undefined;
  const inputs = node.inputs.filter((name, i) => name !== "" && described?.includes(i) !== true);
  return [...inputs, ...capturedNames(node)];
}
