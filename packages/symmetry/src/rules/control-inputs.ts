import type { Node } from "@isthmus/graph";

/**
 * Inputs that hold places, repeats or shapes, by operator: rules read the shapes that result from them, or
 * their constants.
 */
const CONTROLS: ReadonlyMap<string, readonly number[]> = new Map([
  ...["Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "Split", "CumSum", "TopK", "Trilu"].map(
    (op): [string, readonly number[]] => [op, [1]],
  ),
  ["Slice", [1, 2, 3, 4]],
  ["Pad", [1, 3]],
  ["Resize", [1, 2, 3]],
  ["Upsample", [1]],
  ["Dropout", [1, 2]],
]);

/**
 * Lists the names of the inputs of a node that steer it instead of passing through it, such as the extents of
 * a `Reshape` and the axes of a `ReduceSum`. Rules do not follow labels through them, so all labels that they
 * carry must stay in place.
 */
export function controlInputs({ op, inputs }: Node): string[] {
  const places = CONTROLS.get(op) ?? (op.startsWith("Reduce") ? [1] : []);
  return places.flatMap((place) => inputs[place] || []);
}
