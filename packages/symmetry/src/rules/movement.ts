import { at, sizeOf } from "@isthmus/core";
import { constantNumbers, intAttribute, intsAttribute, stringAttribute, wrapAxis } from "@isthmus/graph/ir";
import { extentOf, type Labelled } from "../labels/field.ts";
import { concatenate, stack } from "../primitives/concatenate.ts";
import { insertAxes, removeAxes, reshape, take, transpose } from "../primitives/move.ts";
import { givenInputs, inputOf, isComputed, namedAxes, outputShape, type Rule } from "./rule.ts";

/** Follows `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`: another shape for the same row-major elements. */
export const reshaping: Rule = (context) => [
  reshape(context.store, inputOf(context, 0), outputShape(context)),
];

/** Follows `Transpose`; without an order, axes are reversed. */
export const transposition: Rule = (context) => {
  const x = inputOf(context, 0);
  const reversed = x.shape.map((_, axis) => axis).reverse();
  return [transpose(x, intsAttribute(context.node, "perm") ?? reversed)];
};

/** Follows `Expand`: repeats along axes of extent 1, which carry no field. */
export const expansion: Rule = (context) => {
  const x = inputOf(context, 0);
  const shape = outputShape(context);
  const added = shape.length - x.shape.length;
  const { fields } = insertAxes(
    x,
    Array.from({ length: added }, (_, place) => place),
  );
  return [{ shape, fields }];
};

/** Follows `Tile`: repeats whole axes. */
export const tile: Rule = (context) => {
  const shape = outputShape(context);
  let result = inputOf(context, 0);
  shape.forEach((extent, axis) => {
    const before = extentOf(result, axis);
    if (before === extent) return;
    const indices = Int32Array.from({ length: extent }, (_, i) => i % before);
    result = take(context.store, result, axis, indices);
  });
  return [result];
};

/** Follows `Split`: takes consecutive ranges of an axis. */
export const split: Rule = (context) => {
  const x = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), x.shape.length);
  const results: Labelled[] = [];
  let start = 0;
  for (const shape of context.outputs) {
    if (shape === undefined) return undefined;
    const first = start;
    const indices = Int32Array.from({ length: extentOf({ shape }, axis) }, (_, i) => first + i);
    results.push(take(context.store, x, axis, indices));
    start += indices.length;
  }
  return results;
};

/** Follows `Slice` at constant places. */
export const slice: Rule = (context) => {
  const { store, node } = context;
  let result = inputOf(context, 0);
  const rank = result.shape.length;
  const starts = intsAttribute(node, "starts") ?? constantNumbers(context, 1);
  const ends = intsAttribute(node, "ends") ?? constantNumbers(context, 2);
  if (starts === undefined || ends === undefined) return undefined;
  if (isComputed(context, 3) || isComputed(context, 4)) return undefined;
  const axes = namedAxes(context, 3, rank) ?? starts.map((_, axis) => axis);
  const steps = constantNumbers(context, 4) ?? starts.map(() => 1);
  const shape = outputShape(context);
  axes.forEach((axis, i) => {
    const step = at(steps, i, "step");
    const first = clampStart(at(starts, i, "start"), extentOf(result, axis), step);
    const indices = Int32Array.from({ length: extentOf({ shape }, axis) }, (_, k) => first + k * step);
    result = take(store, result, axis, indices);
  });
  return [result];
};

/** Returns the first index of a slice; the number of indices is known from the shape of the output. */
function clampStart(start: number, extent: number, step: number): number {
  const wrapped = start < 0 ? start + extent : start;
  const last = step < 0 ? extent - 1 : extent;
  return Math.min(Math.max(wrapped, 0), last);
}

/** Follows `Gather`: takes constant indices; computed ones require that the axis stays in order. */
export const gather: Rule = (context) => {
  const { store, node } = context;
  const data = inputOf(context, 0);
  const axis = wrapAxis(intAttribute(node, "axis", 0), data.shape.length);
  const extent = extentOf(data, axis);
  const shape = outputShape(context);
  const constant = context.constant(1);
  const numbers = constantNumbers(context, 1);
  if (constant !== undefined && numbers !== undefined) {
    const indices = Int32Array.from(numbers, (index) => wrapAxis(index, extent));
    return [replaceAxis(context.store, take(store, data, axis, indices), axis, constant.shape)];
  }
  const indices = inputOf(context, 1);
  for (const field of data.fields) {
    if (!field.axes.includes(axis)) continue;
    if (!field.frozen) store.freeze(field.data, "it is indexed by computed numbers there");
    // A field on further axes would have to be followed through the lookup.
    if (field.axes.length > 1) return undefined;
  }
  const added = indices.shape.length;
  const moved = (other: number): number => (other < axis ? other : other - 1 + added);
  const others = data.fields
    .filter((field) => !field.axes.includes(axis))
    .map((field) => ({ ...field, axes: field.axes.map(moved) }));
  if (indices.fields.some(({ frozen }) => !frozen)) return undefined;
  const placed = indices.fields.map((field) => ({ ...field, axes: field.axes.map((other) => other + axis) }));
  return [{ shape, fields: [...others, ...placed] }];
};

/** Follows `GatherND` at constant places: joins the axes that they name, and takes from the joint axis. */
export const gatherNd: Rule = (context) => {
  const { store, node } = context;
  const data = inputOf(context, 0);
  const places = context.constant(1);
  const numbers = constantNumbers(context, 1);
  if (places === undefined || numbers === undefined || intAttribute(node, "batch_dims", 0) !== 0)
    return undefined;
  const depth = places.shape.at(-1) ?? 1;
  const extents = data.shape.slice(0, depth);
  const indices = Int32Array.from({ length: numbers.length / depth }, (_, row) =>
    extents.reduce(
      (place, extent, axis) => place * extent + wrapAxis(at(numbers, row * depth + axis, "index"), extent),
      0,
    ),
  );
  const size = sizeOf(extents);
  const joined = reshape(store, data, [size, ...data.shape.slice(depth)]);
  return [replaceAxis(store, take(store, joined, 0, indices), 0, places.shape.slice(0, -1))];
};

/** Gives one axis of a tensor another shape. */
function replaceAxis(
  store: Parameters<typeof reshape>[0],
  input: Labelled,
  axis: number,
  shape: readonly number[],
): Labelled {
  if (shape.length === 1) return input;
  if (shape.length === 0) return removeAxes(input, [axis]);
  return reshape(store, input, [...input.shape.slice(0, axis), ...shape, ...input.shape.slice(axis + 1)]);
}

/** Follows `Concat`; weights of extent 1 each along the first axis have separate units. */
export const concatenation: Rule = (context) => {
  const inputs = givenInputs(context);
  const rank = at(inputs, 0, "input").shape.length;
  const axis = wrapAxis(intAttribute(context.node, "axis", 0), rank);
  // Weights along another axis are usually positions or tokens, whose units must all move together anyway.
  const isStack = axis === 0 && inputs.every(({ shape }, i) => shape[axis] === 1 && !context.isActivation(i));
  if (isStack && inputs.length > 1) return [stack(context.store, inputs, axis)];
  const filled = inputs.filter(({ shape }) => shape[axis] !== 0);
  return [
    filled.length === 0
      ? { shape: outputShape(context), fields: [] }
      : concatenate(context.store, filled, axis),
  ];
};

/** Follows `Pad` by constant amounts: adds blocks of one value around, or repeats indices of the axis. */
export const pad: Rule = (context) => {
  const { store, node } = context;
  let result = inputOf(context, 0);
  const rank = result.shape.length;
  const pads = intsAttribute(node, "pads") ?? constantNumbers(context, 1);
  if (pads === undefined) return undefined;
  if (isComputed(context, 2) || isComputed(context, 3)) return undefined;
  const axes = namedAxes(context, 3, rank) ?? result.shape.map((_, axis) => axis);
  const mode = stringAttribute(node, "mode", "constant");
  axes.forEach((axis, i) => {
    const before = at(pads, i, "pad");
    const after = at(pads, i + axes.length, "pad");
    if (before === 0 && after === 0) return;
    const extent = extentOf(result, axis);
    const first = Math.max(0, -before);
    const inside = Int32Array.from({ length: extent - first - Math.max(0, -after) }, (_, k) => first + k);
    if (mode !== "constant") {
      const indices = Int32Array.from({ length: extent + before + after }, (_, k) =>
        sourceIndex(k - before, extent, mode),
      );
      result = take(store, result, axis, indices);
      return;
    }
    const cropped = inside.length === extent ? result : take(store, result, axis, inside);
    const block = (count: number): Labelled[] =>
      count > 0 ? [{ shape: cropped.shape.map((e, other) => (other === axis ? count : e)), fields: [] }] : [];
    result = concatenate(store, [...block(before), cropped, ...block(after)], axis);
  });
  return [result];
};

/** Returns the index that a padded place repeats. */
function sourceIndex(place: number, extent: number, mode: string): number {
  if (mode === "wrap") return ((place % extent) + extent) % extent;
  if (mode === "edge") return Math.min(Math.max(place, 0), extent - 1);
  if (extent === 1) return 0;
  const period = 2 * (extent - 1);
  const folded = ((place % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

/** Follows `DepthToSpace`: channels become blocks of pixels. */
export const depthToSpace: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const [n, c, h, w] = imageExtents(x);
  const b = intAttribute(node, "blocksize", 1);
  const depth = c / (b * b);
  const columnsFirst = stringAttribute(node, "mode", "DCR") === "DCR";
  const view = columnsFirst ? [n, b, b, depth, h, w] : [n, depth, b, b, h, w];
  const order = columnsFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return [reshape(store, transpose(reshape(store, x, view), order), outputShape(context))];
};

/** Follows `SpaceToDepth`: blocks of pixels become channels. */
export const spaceToDepth: Rule = (context) => {
  const { store, node } = context;
  const x = inputOf(context, 0);
  const [n, c, h, w] = imageExtents(x);
  const b = intAttribute(node, "blocksize", 1);
  const view = [n, c, h / b, b, w / b, b];
  return [reshape(store, transpose(reshape(store, x, view), [0, 3, 5, 1, 2, 4]), outputShape(context))];
};

/** Returns the extents of a batch of images, `[N, C, H, W]`. */
function imageExtents(x: Labelled): readonly [number, number, number, number] {
  return [extentOf(x, 0), extentOf(x, 1), extentOf(x, 2), extentOf(x, 3)];
}
