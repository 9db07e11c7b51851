import { int, string, wrapAxis } from "../../ir/attributes.ts";
import type { PlainAttributes, Value } from "../graph-builder.ts";

/** Operator set from which scattering supports addition. */
export const SCATTER_ADDS = 16;

/** Options of scattering. */
export interface ScatterOptions {
  /**
   * Whether written elements replace the former ones, the last of several winning, or are added
   * to them. @defaultValue "none"
   */
  readonly reduction?: "none" | "add";
}

const reductionOf = ({ reduction = "none" }: ScatterOptions): PlainAttributes =>
  reduction === "none" ? {} : { reduction: string(reduction) };

/**
 * Writes the elements of `updates` into a copy of `x` at indices along an axis, of the shape of `updates`.
 */
export function scatterElements(
  x: Value,
  indices: Value,
  updates: Value,
  { axis = 0, ...options }: ScatterOptions & { readonly axis?: number } = {},
): Value {
  const attributes = { axis: int(wrapAxis(axis, x.shape.length)), ...reductionOf(options) };
  return x.builder.emit("ScatterElements", [x, indices, updates], [{ dtype: x.dtype, shape: x.shape }], {
    attributes,
  })[0] as Value;
}

/**
 * Writes slices `updates [...places, ...rest]` into a copy of `x` at indices
 * `[...places, depth]` of its first `depth` axes.
 */
export function scatterND(x: Value, indices: Value, updates: Value, options: ScatterOptions = {}): Value {
  return x.builder.emit("ScatterND", [x, indices, updates], [{ dtype: x.dtype, shape: x.shape }], {
    attributes: reductionOf(options),
  })[0] as Value;
}

/** Reads slices `[...places, ...rest]` of `x` at indices `[...places, depth]` of its first `depth` axes. */
export function gatherND(x: Value, indices: Value): Value {
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(indices.shape.at(-1))];
  return x.builder.emit("GatherND", [x, indices], [{ dtype: x.dtype, shape }])[0] as Value;
}
