import { at, axisOffsets, gatherInto, stridesOf } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import { type LayoutComponent, mapComponent } from "@isthmus/symmetry/layout";

/** Offsets in a flat weight along some of its axes; a sum of one offset of each part addresses an element. */
export interface WeightPart {
  /** First of the axes. */
  readonly axis: number;
  /** The component these axes form; none for a single axis that nothing moves. */
  readonly component: LayoutComponent | undefined;
  /** Offset of each position along the axes, permuted if units move, `[positions]`. */
  readonly offsets: Int32Array;
}

/**
 * Splits the addresses of a weight with permuted units into parts, by axis: the same place in each part
 * addresses the same element of A (no permutation) and of permuted B.
 *
 * @param source - permutation of all units; none leaves everything in place
 */
export function weightParts(
  layout: WeightLayout,
  components: readonly LayoutComponent[],
  source: Int32Array | undefined,
): WeightPart[] {
  const strides = stridesOf(layout.view);
  const moved = components.map((component): WeightPart => {
    const offsets = axisOffsets(layout.view, strides, component.axes);
    const permuted =
      source === undefined
        ? offsets
        : gatherInto(offsets, [mapComponent(component, source)], new Int32Array(offsets.length));
    return { axis: at(component.axes, 0, "axis"), component, offsets: permuted };
  });
  const taken = new Set(components.flatMap(({ axes }) => axes));
  const free = layout.view.flatMap((_, axis): WeightPart[] =>
    taken.has(axis)
      ? []
      : [{ axis, component: undefined, offsets: axisOffsets(layout.view, strides, [axis]) }],
  );
  return [...moved, ...free].sort((a, b) => a.axis - b.axis);
}

/** Computes all sums of one offset of each part, the last part running fastest. */
export function combineOffsets(parts: readonly Pick<WeightPart, "offsets">[]): Int32Array {
  let combined = Int32Array.of(0);
  for (const { offsets } of parts) {
    const grown = new Int32Array(combined.length * offsets.length);
    let k = 0;
    for (const outer of combined) for (const inner of offsets) grown[k++] = outer + inner;
    combined = grown;
  }
  return combined;
}

/**
 * Finds the combination that each combination of places of the parts of a weight comes from when units are
 * permuted, as an index into the same combinations, the last part running fastest; one component is left out.
 */
export function combineMaps(
  layout: WeightLayout,
  components: readonly LayoutComponent[],
  { source, except }: { readonly source: Int32Array; readonly except: LayoutComponent | undefined },
): Int32Array {
  const taken = new Set(components.flatMap(({ axes }) => axes));
  const parts = components
    .filter((component) => component !== except)
    .map((component) => ({ axis: at(component.axes, 0, "axis"), map: mapComponent(component, source) }));
  layout.view.forEach((extent, axis) => {
    if (!taken.has(axis)) parts.push({ axis, map: Int32Array.from({ length: extent }, (_, i) => i) });
  });
  let stride = 1;
  const scaled = parts
    .sort((a, b) => b.axis - a.axis)
    .map(({ map }) => {
      const offsets = map.map((from) => from * stride);
      stride *= map.length;
      return { offsets };
    });
  return combineOffsets(scaled.reverse());
}
