import { at, sizeOf, type TensorInfo } from "@isthmus/core";
import { intsAttribute, wrapAxis } from "../ir/attributes.ts";
import type { Node } from "../ir/graph.ts";

/** Operators that change only the shape and the order of numbers. */
const MOVES: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"]);

/** Checks whether a node changes only the shape and the order of numbers. */
export function isMove({ op, domain }: Node): boolean {
  return domain === "" && MOVES.has(op);
}

/**
 * Follows an axis of a value through nodes that change its shape.
 * @param types - type of every value
 * @returns the index of the axis after the nodes, negative if the axis is divided or joined with others;
 *   undefined if a shape is unknown
 */
export function followAxis(
  axis: number,
  { value, moves }: { readonly value: string; readonly moves: readonly Node[] },
  types: ReadonlyMap<string, TensorInfo>,
): { readonly axis: number; readonly rank: number } | undefined {
  const shapes = [value, ...moves.map(({ outputs }) => at(outputs, 0, "output"))].map(
    (name) => types.get(name)?.shape,
  );
  const [first] = shapes;
  let place = first === undefined ? -1 : wrapAxis(axis, first.length);
  for (const [i, move] of moves.entries()) {
    const [before, after] = [shapes[i], shapes[i + 1]];
    if (before === undefined || after === undefined) return undefined;
    if (place >= 0) place = placeBehind(move, place, { before, after });
  }
  const last = shapes.at(-1);
  return last === undefined ? undefined : { axis: place, rank: last.length };
}

/** Returns the index of an axis after a node; -1 if the axis is divided or joined with others. */
function placeBehind(
  move: Node,
  axis: number,
  { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] },
): number {
  if (move.op === "Transpose") {
    const order = intsAttribute(move, "perm") ?? before.map((_, i) => before.length - 1 - i);
    return order.indexOf(axis);
  }
  const stride = strideOf(before, axis);
  return after.findIndex((extent, place) => extent === before[axis] && strideOf(after, place) === stride);
}

/** Returns the distance in memory between neighbours along an axis. */
function strideOf(shape: readonly number[], axis: number): number {
  return sizeOf(shape.slice(axis + 1));
}
