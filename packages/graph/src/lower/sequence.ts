import { sumOf } from "@isthmus/core";
import { int } from "../ir/attributes.ts";
import type { Attribute } from "../ir/graph.ts";

/** Maker of the nodes that compute one value. */
export interface NodeMaker {
  /** Name of the value to compute. */
  readonly output: string;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  /** Returns a name for an intermediate value. */
  readonly value: () => string;
  /** Adds a constant of 64-bit integers, by default `[values.length]`, and returns its name. */
  readonly numbers: (values: readonly number[], shape?: readonly number[]) => string;
  /** Adds a node with one result. */
  readonly node: (
    op: string,
    inputs: readonly string[],
    result: string,
    attributes?: Readonly<Record<string, Attribute>>,
  ) => void;
}

/** Axis along which tensors of a sequence are joined: an existing axis, or a new one. */
export interface Joint {
  /** Axis of the result along which tensors are joined; negative axes count from the end. */
  readonly axis: number;
  /** Whether the axis is new, with one index for each tensor. */
  readonly isNew: boolean;
}

/** A list of tensors that is known before the graph runs. */
export interface Sequence {
  /** Number of tensors; undefined if it depends on the extents of a tensor. */
  readonly length: number | undefined;
  /**
   * Computes the tensor at a position, where negative ones count from the end; returns whether this is
   * possible.
   */
  readonly at: (place: number, make: NodeMaker) => boolean;
  /** Computes the number of tensors, `[]`; returns whether this is possible. */
  readonly count: (make: NodeMaker) => boolean;
  /** Computes all tensors joined into one; returns whether this is possible. */
  readonly join: (joint: Joint, make: NodeMaker) => boolean;
  /** Returns the list with a tensor inserted before a position; undefined if the position is unknown. */
  readonly insert?: (tensor: string, place: number | undefined) => Sequence | undefined;
  /** Returns the list without the tensor at a position; undefined if the position is unknown. */
  readonly erase?: (place: number | undefined) => Sequence | undefined;
}

/** Makes the sequence of the tensors with some names. */
export function listSequence(names: readonly string[]): Sequence {
  const { length } = names;
  const wrap = (place: number): number => (place < 0 ? place + length : place);
  return {
    length,
    at: (place, make) => {
      const name = names[wrap(place)];
      if (name === undefined) return false;
      make.node("Identity", [name], make.output);
      return true;
    },
    count: (make) => {
      make.node("Identity", [make.numbers([length], [])], make.output);
      return true;
    },
    join: ({ axis, isNew }, make) => {
      if (length === 0) return false;
      make.node("Concat", isNew ? names.map((name) => lined(name, axis, make)) : names, make.output, {
        axis: int(axis),
      });
      return true;
    },
    insert: (tensor, place) =>
      place === undefined ? undefined : listSequence(names.toSpliced(wrap(place), 0, tensor)),
    erase: (place) => (place === undefined ? undefined : listSequence(names.toSpliced(wrap(place), 1))),
  };
}

/** Adds an axis of extent 1 to a tensor. */
function lined(name: string, axis: number, make: NodeMaker): string {
  const result = make.value();
  if (make.opset >= 13) make.node("Unsqueeze", [name, make.numbers([axis])], result);
  else make.node("Unsqueeze", [name], result, { axes: { type: "ints", value: [axis] } });
  return result;
}

/** Axis and extents of the parts of a tensor. */
export interface Cut {
  /** Axis of the tensor along which it is cut. */
  readonly axis: number;
  /** Extents of all parts; or one extent for all parts, of which the last may be shorter. */
  readonly lengths: number | readonly number[];
  /** Whether parts keep the axis; if not, each is one index along it. */
  readonly keepsAxis: boolean;
}

/** Makes the sequence of the parts of a tensor along an axis. */
export function splitSequence(x: string, { axis, lengths, keepsAxis }: Cut): Sequence {
  const list = typeof lengths === "number" ? undefined : lengths;
  const rangeOf = (place: number): readonly [number, number] | undefined => {
    if (typeof lengths === "number") return place < 0 ? undefined : [place * lengths, (place + 1) * lengths];
    const i = place < 0 ? place + lengths.length : place;
    const length = lengths[i];
    if (length === undefined) return undefined;
    const first = sumOf(lengths.slice(0, i));
    return [first, first + length];
  };
  return {
    length: list?.length,
    at: (place, make) => {
      if (!keepsAxis) {
        make.node("Gather", [x, make.numbers([place], [])], make.output, { axis: int(axis) });
        return true;
      }
      const range = rangeOf(place);
      if (range === undefined) return false;
      const [begin, end] = range;
      make.node("Slice", [x, make.numbers([begin]), make.numbers([end]), make.numbers([axis])], make.output);
      return true;
    },
    count: (make) => {
      if (list !== undefined) return listSequence(list.map(() => x)).count(make);
      countParts(x, axis, Number(lengths), make);
      return true;
    },
    join: (joint, make) => {
      // All parts joined along the axis of the split are the whole tensor.
      if (joint.axis !== axis || joint.isNew === keepsAxis) return false;
      make.node("Identity", [x], make.output);
      return true;
    },
  };
}

/** Computes the number of parts of a length along an axis, of which the last may be shorter. */
function countParts(x: string, axis: number, length: number, make: NodeMaker): void {
  const [shape, extent, more] = [make.value(), make.value(), make.value()];
  make.node("Shape", [x], shape);
  make.node("Gather", [shape, make.numbers([axis], [])], extent, { axis: int(0) });
  make.node("Add", [extent, make.numbers([length - 1], [])], more);
  make.node("Div", [more, make.numbers([length], [])], make.output);
}
