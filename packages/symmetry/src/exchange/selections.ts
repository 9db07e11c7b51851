import { at, sizeOf, stridesOf } from "@isthmus/core";
import type { Node } from "@isthmus/graph";
import { shiftsOf } from "../shifts/follow-shift.ts";
import type { FormContext } from "./value-cones.ts";

/** All elements of a value that have one index on one of its axes. */
export interface Selection {
  /** Name of the value from which elements are taken. */
  readonly value: string;
  /** Axis of the value on which the index is chosen. */
  readonly axis: number;
  /** Chosen index along the axis, from 0. */
  readonly index: number;
}

/** Operators that take some elements of a value. */
const TAKING: ReadonlySet<string> = new Set(["Split", "Slice", "Gather"]);

/**
 * Returns the selection that a result of a node is, from a value that others read as well; undefined if it is
 * no selection of one index.
 */
export function selectionOf(
  { index: { graph }, probe, isShared }: FormContext,
  node: Node,
  result: string,
): Selection | undefined {
  const [value = ""] = node.inputs;
  const shape = probe.types.get(value)?.shape;
  if (!TAKING.has(node.op) || node.domain !== "" || shape === undefined || !isShared(value)) return undefined;
  const count = sizeOf(shape);
  const everywhere = new Map([[value, Int32Array.from({ length: count }, (_, position) => position)]]);
  const taken = shiftsOf({ graph, probe }, node, everywhere)?.[node.outputs.indexOf(result)];
  if (taken === undefined) return undefined;
  const strides = stridesOf(shape);
  for (const [axis, extent] of shape.entries()) {
    if (extent < 2 || taken.length !== count / extent) continue;
    const indices = new Set(
      taken.map((position) => Math.floor(position / at(strides, axis, "axis")) % extent),
    );
    const [index, ...others] = indices;
    if (index !== undefined && others.length === 0) return { value, axis, index };
  }
  return undefined;
}
