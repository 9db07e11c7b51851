import { byteLengthOf, entry, type TensorInfo, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { concat, GraphBuilder, slice, type Value } from "@isthmus/graph/builder";
import { int, typesOf } from "@isthmus/graph/ir";
import { planAxes } from "./plan-axes.ts";

/** A value in parts along an axis. */
export interface Parts {
  /** Axis along which the value is divided. */
  readonly axis: number;
  /** Indices along the axis at which parts begin, then the extent of the axis. */
  readonly bounds: readonly number[];
  /** Parts in order. */
  readonly values: readonly Value[];
}

/** A range of indices along an axis. */
export interface AxisRange {
  readonly axis: number;
  readonly begin: number;
  readonly end: number;
}

/** A graph under reconstruction, whose values above a limit are in parts. */
export class PartedGraph {
  readonly builder: GraphBuilder;
  readonly #limit: number;
  readonly #types: ReadonlyMap<string, TensorInfo>;
  readonly #axisOf: (name: string) => number;
  readonly #parts = new Map<string, Parts>();

  /** @param limit - number of bytes that a value may have */
  constructor(graph: Graph, limit: number) {
    this.builder = GraphBuilder.rewriting(graph);
    this.#limit = limit;
    this.#types = typesOf(graph);
    this.#axisOf = planAxes(graph.nodes, this.#types);
  }

  typeOf(name: string): TensorInfo {
    return entry(this.#types, name, "value");
  }

  /** Checks whether a value is above the limit. */
  isLarge(name: string): boolean {
    const type = this.#types.get(name);
    return type !== undefined && byteLengthOf(type) > this.#limit;
  }

  /** Returns the parts of a value; undefined if it is whole. */
  partsOf(name: string): Parts | undefined {
    return this.#parts.get(name);
  }

  /** Keeps the parts of a value above the limit. */
  keep(name: string, parts: Parts): void {
    this.#parts.set(name, parts);
  }

  /**
   * Returns the bounds of parts of a value along an axis, all of one length but for the last; by default along
   * the axis that fits its uses.
   * @throws UnsupportedError if the axis is too short
   */
  boundsOf(name: string, axis: number = this.#axisOf(name)): Pick<Parts, "axis" | "bounds"> {
    const { dtype, shape } = this.typeOf(name);
    const extent = shape[axis] ?? 1;
    const most = Math.floor(this.#limit / byteLengthOf({ dtype, shape: shape.with(axis, 1) }));
    if (most < 1) throw refusal(name, `axis ${axis} of [${shape.join(", ")}] is too short to divide it`);
    const length = Math.ceil(extent / Math.ceil(extent / most));
    const count = Math.ceil(extent / length);
    return { axis, bounds: [...Array.from({ length: count }, (_, i) => i * length), extent] };
  }

  /**
   * Returns ranges of a value.
   * @throws UnsupportedError if they are above the limit
   */
  part(name: string, ranges: readonly AxisRange[]): Value {
    const parts = this.#parts.get(name);
    if (parts === undefined) return cut(this.builder.value(name), ranges);
    const { axis, bounds, values } = parts;
    const others = ranges.filter((range) => range.axis !== axis);
    const { begin, end } = ranges.find((range) => range.axis === axis) ?? {
      begin: 0,
      end: bounds.at(-1) ?? 0,
    };
    const pieces = values.flatMap((value, i) => {
      const [from, to] = [bounds[i] ?? 0, bounds[i + 1] ?? 0];
      if (to <= begin || from >= end) return [];
      const inside = { axis, begin: Math.max(begin, from) - from, end: Math.min(end, to) - from };
      return [cut(value, [...others, inside])];
    });
    const size = pieces.reduce((sum, piece) => sum + byteLengthOf(piece), 0);
    if (size > this.#limit) throw refusal(name, "one of its uses takes more of it at once");
    const [only, second] = pieces;
    return only !== undefined && second === undefined ? only : concat(pieces, axis);
  }

  /** Gives an output of a node its parts: kept if it is above the limit, else joined under its name. */
  finish(name: string, { axis, bounds, values }: Parts): void {
    if (this.isLarge(name)) {
      for (const value of values)
        if (byteLengthOf(value) > this.#limit) throw refusal(name, "a part of it is above the limit");
      this.#parts.set(name, { axis, bounds, values });
      return;
    }
    this.adopt(values.length === 1 ? "Identity" : "Concat", values, name, axis);
  }

  /** Adds a node with an output of the graph that is rebuilt. */
  adopt(op: "Identity" | "Concat", values: readonly Value[], name: string, axis: number): void {
    const node: Node = {
      name: `${name}:joined`,
      op,
      domain: "",
      inputs: values.map((value) => value.name),
      outputs: [name],
      attributes: new Map(op === "Concat" ? [["axis", int(axis)]] : []),
    };
    this.builder.adopt(node);
  }
}

/** Returns ranges of a value; axes of which all is taken add no node. */
function cut(value: Value, ranges: readonly AxisRange[]): Value {
  const partial = ranges.filter(({ axis, begin, end }) => begin > 0 || end < (value.shape[axis] ?? 0));
  return partial.length === 0 ? value : slice(value, partial);
}

/** Returns the error for a value that cannot be divided. */
export function refusal(name: string, reason: string): UnsupportedError {
  return new UnsupportedError(`Cannot divide "${name}" into parts as ${reason}`, { feature: "parts" });
}
