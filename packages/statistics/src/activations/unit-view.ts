import {
  at,
  axisOffsets,
  formatShape,
  gatherInto,
  InputError,
  OutOfRangeError,
  sizeOf,
  stridesOf,
  type Tensor,
} from "@isthmus/core";

/** A value of a graph, and the division of its elements into units and samples. */
export interface UnitView {
  /** Name of the value: an input, or a result of a node. */
  readonly value: string;
  /** Axes of units, ascending, negative axes counted from the last; all other axes are samples. */
  readonly axes: readonly number[];
  /**
   * Row-major positions over these axes that belong to each unit, `[units * slots]`; slots count as samples.
   * @defaultValue every position is one unit
   */
  readonly positions?: Int32Array | undefined;
  /** Number of positions of each unit. @defaultValue 1 */
  readonly slots?: number | undefined;
}

/** Samples of units, `[outer, units, inner]` row-major. */
export interface UnitPanel {
  /** Samples of all units, `outer * units * inner` of them. */
  readonly data: Float32Array;
  /** Number of samples of each unit before its axis, such as examples; all samples if units were gathered. */
  readonly outer: number;
  /** Number of units in the view. */
  readonly units: number;
  /** Number of samples of each unit after its axis, such as pixels; 1 if units were gathered. */
  readonly inner: number;
}

/** Reader of the samples of a view from tensors of its value, which computes offsets once for each shape. */
export class UnitReader {
  readonly view: UnitView;
  #shape = "";
  #read: (data: Float32Array) => UnitPanel = () => ({
    data: new Float32Array(),
    outer: 0,
    units: 0,
    inner: 0,
  });

  constructor(view: UnitView) {
    this.view = view;
  }

  /**
   * Returns the samples of a tensor; they share its memory if the axes of units are adjacent.
   * @throws InputError if the value is not f32
   * @throws OutOfRangeError if the value has no such axes or positions
   */
  read(tensor: Tensor | undefined): UnitPanel {
    const { value } = this.view;
    if (!(tensor?.data instanceof Float32Array)) {
      throw new InputError(
        `Cannot measure "${value}" as activations must be f32: got ${tensor?.dtype ?? "nothing"} ${formatShape(tensor?.shape ?? [])}`,
        { input: value },
      );
    }
    const shape = tensor.shape.join();
    if (shape !== this.#shape) {
      this.#read = createRead(this.view, tensor.shape);
      this.#shape = shape;
    }
    return this.#read(tensor.data);
  }
}

function createRead(view: UnitView, shape: readonly number[]): (data: Float32Array) => UnitPanel {
  const axes = view.axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  assertView(view, shape, axes);
  const [first, last] = [at(axes, 0, "axis"), at(axes, axes.length - 1, "axis")];
  const extent = (from: number, to: number) => sizeOf(shape.slice(from, to));
  if (view.positions === undefined && last - first + 1 === axes.length) {
    const form = {
      outer: extent(0, first),
      units: extent(first, last + 1),
      inner: extent(last + 1, shape.length),
    };
    return (data) => ({ data, ...form });
  }
  const strides = stridesOf(shape);
  const offsets = axisOffsets(shape, strides, axes);
  const others = axisOffsets(
    shape,
    strides,
    [...shape.keys()].filter((axis) => !axes.includes(axis)),
  );
  const positions = view.positions ?? Int32Array.from(offsets.keys());
  const slots = view.slots ?? 1;
  const units = positions.length / slots;
  const columns = Array.from({ length: slots }, (_, slot) =>
    Int32Array.from({ length: units }, (_, unit) =>
      at(offsets, at(positions, unit * slots + slot, "position"), "offset"),
    ),
  );
  const share = others.length * units;
  const panel = new Float32Array(share * slots);
  return (data) => {
    columns.forEach((column, slot) => {
      gatherInto(data, [others, column], panel.subarray(slot * share, (slot + 1) * share));
    });
    return { data: panel, outer: others.length * slots, units, inner: 1 };
  };
}

function assertView(
  { value, positions, slots = 1 }: UnitView,
  shape: readonly number[],
  axes: readonly number[],
): void {
  const ascending = axes.every((axis, i) => i === 0 || axis > at(axes, i - 1, "axis"));
  if (axes.length === 0 || !ascending || axes.some((axis) => !(axis >= 0 && axis < shape.length))) {
    throw new OutOfRangeError(
      `Cannot measure "${value}" as axes must be ascending and among the ${shape.length} of its shape ${formatShape(shape)}: got ${axes.join(", ")}`,
    );
  }
  const count = axes.reduce((product, axis) => product * at(shape, axis, "axis"), 1);
  if (positions === undefined) return;
  if (positions.length % slots === 0 && positions.every((position) => position >= 0 && position < count))
    return;
  throw new OutOfRangeError(
    `Cannot measure "${value}" as every unit must have ${slots} positions below ${count}: got ${positions.length} positions`,
  );
}
