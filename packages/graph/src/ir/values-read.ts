import { capturedNames } from "./captured-names.ts";
import type { Node } from "./graph.ts";

/** Inputs of which an operator reads the shape or the element type only, by operator. */
const DESCRIBED_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ["Shape", [0]],
  ["Size", [0]],
  ["EyeLike", [0]],
  ["CastLike", [1]],
]);

/**
 * Lists the names of the values that the results of a node depend on, those that its branches and loop bodies read from
 * around it among them. Inputs that only give a shape (`Shape`, `Size`, `EyeLike`) or an element type (the second of
 * `CastLike`) are left out: whatever they hold, the results are the same.
 */
export function valuesRead(node: Node): string[] {
  const described = node.domain === "" ? DESCRIBED_INPUTS.get(node.op) : undefined;
  const inputs = node.inputs.filter((name, i) => name !== "" && described?.includes(i) !== true);
  return [...inputs, ...capturedNames(node)];
}
