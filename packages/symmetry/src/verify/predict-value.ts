import { at, axisOffsets, stridesOf, strideTable } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import { connectFields, countPositions, type Field, type Labelled, spread } from "../labels/field.ts";

/** The movement of the positions of a tensor: offsets of values before, and of the same values after. */
export interface Movement {
  /** Offsets into the tensor before, for consecutive groups of axes. */
  readonly before: readonly Int32Array[];
  /** Offsets into the tensor after, aligned with `before`. */
  readonly after: readonly Int32Array[];
}

/**
 * Predicts the movement of the values of a tensor when labels move: from each key to the key of the moved
 * labels. Positions with equal keys hold equal values, so any pairing of these positions is correct.
 *
 * @param image - label that each label goes to
 * @returns the movement; undefined if some key has no place to go to
 */
export function predictMovement({ shape, fields }: Labelled, image: Int32Array): Movement | undefined {
  const strides = stridesOf(shape);
  const before: Int32Array[] = [];
  const after: Int32Array[] = [];
  const components = connectFields({ shape, fields });
  const touched = new Set(components.flatMap(({ axes }) => axes));
  shape.forEach((extent, axis) => {
    if (extent === 1 || touched.has(axis)) return;
    const offsets = strideTable(extent, at(strides, axis, "axis"));
    before.push(offsets);
    after.push(offsets);
  });
  for (const component of components) {
    const { axes } = component;
    const target = predictComponent(shape, axes, component.fields, image);
    if (target === undefined) return undefined;
    const offsets = axisOffsets(shape, strides, axes);
    before.push(offsets);
    after.push(target.map((position) => offsets[position] as number));
  }
  return { before, after };
}

/**
 * Predicts the position that each position goes to: the k-th position with a key goes to the k-th position
 * with the key of the moved labels; undefined if there are fewer of these.
 */
export function predictComponent(
  shape: readonly number[],
  axes: readonly number[],
  fields: readonly Field[],
  image: Int32Array,
): Int32Array | undefined {
  const count = countPositions(shape, axes);
  const columns = fields.map((field) => {
    const keys = spread(field, shape, axes);
    const column = new Int32Array(2 * count);
    column.set(keys);
    column.set(field.frozen ? keys : keys.map((label) => image[label] as number), count);
    return column;
  });
  const keys = internTuples(columns, 2 * count);
  const start = new Int32Array(keys.count + 1);
  for (let p = 0; p < count; p++) {
    const next = (keys.ids[p] as number) + 1;
    start[next] = (start[next] as number) + 1;
  }
  for (let id = 0; id < keys.count; id++) start[id + 1] = (start[id + 1] as number) + (start[id] as number);
  const places = new Int32Array(count);
  const fill = start.slice();
  const use = start.slice();
  for (let p = 0; p < count; p++) {
    const id = keys.ids[p] as number;
    places[fill[id] as number] = p;
    fill[id] = (fill[id] as number) + 1;
  }
  const target = new Int32Array(count);
  for (let p = 0; p < count; p++) {
    const id = keys.ids[count + p] as number;
    const next = use[id] as number;
    if (next >= (start[id + 1] as number)) return undefined;
    target[p] = places[next] as number;
    use[id] = next + 1;
  }
  return target;
}
