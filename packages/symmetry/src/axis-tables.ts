import { axisOffsets, stridesOf } from "@isthmus/core";
import type { Alignment } from "./alignment.ts";
import { spread } from "./labels/field.ts";
import { type LayoutComponent, layoutComponents, mapComponent } from "./layout-components.ts";
import type { WeightLayout } from "./spec.ts";

/**
 * Returns the offsets into a weight from which the elements of the permuted weight are taken, for consecutive
 * stretches of its axes, outermost first: element `(i, j, ...)` of the stretches comes from offset
 * `tables[0][i] + tables[1][j] + ...`.
 *
 * @throws MismatchError if the alignment is not an element of the symmetry group
 */
export function axisTables(layout: WeightLayout, { source }: Alignment): Int32Array[] {
  const { view } = layout;
  const strides = stridesOf(view);
  return splitAxes(view.length, layoutComponents(layout)).map(({ axes, components }) => {
    const moved = components.map((component) => {
      const offsets = axisOffsets(view, strides, component.axes);
      const data = mapComponent(component, source).map((position) => offsets[position] as number);
      return spread({ axes: component.axes, data }, view, axes);
    });
    const bound = new Set(components.flatMap((component) => component.axes));
    const still = axes.filter((axis) => !bound.has(axis));
    const unmoved = spread({ axes: still, data: axisOffsets(view, strides, still) }, view, axes);
    return unmoved.map((offset, i) => moved.reduce((sum, offsets) => sum + (offsets[i] as number), offset));
  });
}

interface Stretch {
  readonly axes: readonly number[];
  readonly components: readonly LayoutComponent[];
}

/**
 * Splits axes into stretches of neighbours, each with all components that touch it. Axes between two axes of
 * a component belong to its stretch, such as the outputs of a grouped convolution of which only the inputs
 * may move.
 */
function splitAxes(rank: number, components: readonly LayoutComponent[]): Stretch[] {
  const stretches: Stretch[] = [];
  let first = 0;
  while (first < rank) {
    let last = first;
    let inside: LayoutComponent[] = [];
    for (let axis = first; axis <= last; axis++) {
      const starting = components.filter((component) => component.axes[0] === axis);
      inside = [...inside, ...starting];
      last = Math.max(last, ...starting.map((component) => component.axes.at(-1) ?? axis));
    }
    const axes = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const previous = stretches.at(-1);
    // Neighbouring axes without components, such as the axes of a kernel, are read as one.
    if (inside.length === 0 && previous?.components.length === 0) {
      stretches[stretches.length - 1] = { axes: [...previous.axes, ...axes], components: [] };
    } else stretches.push({ axes, components: inside });
    first = last + 1;
  }
  return stretches;
}
