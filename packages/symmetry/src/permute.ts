import {
  axisOffsets,
  type Checkpoint,
  defineCheckpoint,
  formatShape,
  MismatchError,
  sameShape,
  stridesOf,
} from "@isthmus/core";
import { listNames } from "@isthmus/graph/ir";
import type { Alignment } from "./alignment.ts";
import { assertAlignment } from "./assert-alignment.ts";
import { exchangeParts } from "./exchange/exchange-parts.ts";
import { splitAlignment } from "./exchange/split-alignment.ts";
import { spread } from "./labels/field.ts";
import { type LayoutComponent, layoutComponents, mapComponent } from "./layout-components.ts";
import { readPermutedInto } from "./read-permuted.ts";
import type { SymmetrySpec, WeightLayout } from "./spec.ts";

/**
 * Applies an alignment to a checkpoint: the result computes the same function, with its units in other
 * places.
 *
 * Lazy: a tensor is permuted when it is read. Tensors that are not in the specification pass through
 * unchanged.
 *
 * @throws MismatchError if the alignment is not of this specification, or if a weight is missing from the
 *   checkpoint or has another shape
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { readGraph } from "@isthmus/graph";
 * import { discoverSymmetries, invert, permute, randomAlignment } from "@isthmus/symmetry";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const { spec } = await discoverSymmetries({ graph, engine: createOnnxRuntimeEngine() });
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const alignment = randomAlignment(spec, 0);
 * const shuffled = permute(alignment, network, spec); // computes the same
 * const back = permute(invert(alignment), shuffled, spec);
 * assert.deepEqual(await back.read("layers.0.bias"), await network.read("layers.0.bias"));
 * await network.close();
 * ```
 */
export function permute(alignment: Alignment, checkpoint: Checkpoint, spec: SymmetrySpec): Checkpoint {
  assertAlignment(spec, alignment);
  if (spec.joined !== undefined) {
    const { plain, exchanges } = spec.joined;
    const { orders, alignment: within } = splitAlignment(spec, spec.joined, alignment);
    return permute(within, exchangeParts(checkpoint, exchanges, orders), plain);
  }
  assertFits(checkpoint, spec);
  // A tensor is read range by range, and all of its ranges share one set of tables.
  let latest: { readonly name: string; readonly tables: Int32Array[] } | undefined;
  const tablesOf = (name: string, layout: WeightLayout): Int32Array[] => {
    if (latest?.name !== name) latest = { name, tables: axisTables(layout, alignment) };
    return latest.tables;
  };
  return defineCheckpoint({
    source: `${checkpoint.source} (permuted)`,
    tensors: checkpoint.tensors,
    metadata: checkpoint.metadata,
    inputs: [checkpoint],
    async readInto(name, begin, out) {
      const layout = spec.weights.get(name);
      if (layout === undefined || layout.fields.length === 0) {
        await checkpoint.readRangeInto(name, begin, out);
        return;
      }
      await readPermutedInto({ checkpoint, name, tables: tablesOf(name, layout) }, begin, out);
    },
  });
}

/**
 * Checks that a network has every weight that a specification moves, in the right shape.
 *
 * @param network - a checkpoint, or the weights of a graph under its name
 * @throws MismatchError if it lacks weights or has them in other shapes; the message names them
 */
export function assertFits({ source, tensors }: PermutableNetwork, { weights }: SymmetrySpec): void {
  const moving = [...weights].filter(([, { fields }]) => fields.length > 0);
  const missing = moving.flatMap(([name]) => (tensors.has(name) ? [] : [name]));
  if (missing.length > 0) {
    const names = listNames(missing.map((name) => `"${name}"`));
    throw new MismatchError(
      `Cannot permute "${source}" as it must have every weight that the symmetries move: ${missing.length} of ${moving.length} are not there, ${names}`,
      { parameters: missing },
    );
  }
  for (const [name, { shape }] of weights) {
    const actual = tensors.get(name)?.shape;
    if (actual === undefined || sameShape(actual, shape)) continue;
    throw new MismatchError(
      `Cannot permute "${name}" of "${source}" as its shape must be that of the symmetries: ${formatShape(actual)} and ${formatShape(shape)}`,
      { parameters: [name] },
    );
  }
}

/** Names and shapes that {@link assertFits} checks. */
interface PermutableNetwork {
  readonly source: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/**
 * Returns the offsets into a weight from which the elements of the permuted weight are taken, for consecutive
 * stretches of its axes, outermost first: element `(i, j, ...)` of the stretches comes from offset
 * `tables[0][i] + tables[1][j] + ...`.
 *
 * @throws MismatchError if the alignment is not an element of the symmetry group
 */
function axisTables(layout: WeightLayout, { source }: Alignment): Int32Array[] {
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
