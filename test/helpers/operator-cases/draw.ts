import { convertData, createRandom, type DType, type Random, sizeOf, type Tensor } from "@isthmus/core";
import type { Attribute, Graph } from "@isthmus/graph";

/** Random tensors and attributes. */
export class Draw {
  readonly random: Random;

  constructor(seed: number, label: string) {
    this.random = createRandom(seed, label);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.integer(items.length)] as T;
  }

  shape(rank: number, low = 1, high = 4): number[] {
    return Array.from({ length: rank }, () => this.between(low, high));
  }

  /** Standard normal numbers. */
  normal(shape: readonly number[], scale = 1): Tensor {
    const data = Float32Array.from({ length: sizeOf(shape) }, () => scale * this.random.normal());
    return { dtype: "f32", shape, data };
  }

  /** Numbers between 0.2 and 2.2. */
  positive(shape: readonly number[]): Tensor {
    const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.2 + 2 * this.random.uniform());
    return { dtype: "f32", shape, data };
  }

  /** Whole numbers from `low` to `high`, both included. */
  whole(shape: readonly number[], [low, high]: readonly [number, number], dtype: DType = "i64"): Tensor {
    const values = Float64Array.from({ length: sizeOf(shape) }, () => this.between(low, high));
    return { dtype, shape, data: convertData(values, "f64", dtype) };
  }

  truth(shape: readonly number[]): Tensor {
    return this.whole(shape, [0, 1], "bool");
  }

  /** The shape with some extents 1, and some leading ones left out. */
  broadcast(shape: readonly number[]): number[] {
    const cut = shape.slice(this.random.integer(shape.length + 1));
    return cut.map((extent) => (this.random.integer(3) === 0 ? 1 : extent));
  }
}

/** Whole numbers that belong to the graph: axes, extents, pads. */
export const fixed = (...values: readonly number[]): Fixed => ({
  fixed: { dtype: "i64", shape: [values.length], data: BigInt64Array.from(values, BigInt) },
});
export const fixedTensor = (tensor: Tensor): Fixed => ({ fixed: tensor });

export interface Fixed {
  readonly fixed: Tensor;
}

/** One node with its operands. */
export interface NodeCase {
  readonly inputs: readonly (Tensor | Fixed | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** @defaultValue 1 */
  readonly outputs?: number;
}

/** An operator and how to draw operands and attributes of it. */
export interface OperatorCase {
  readonly op: string;
  /** What is special about the case. */
  readonly detail?: string;
  /** @defaultValue 17 */
  readonly opset?: number;
  readonly make: (draw: Draw) => NodeCase;
}

/** The graph of one node, and what to feed it. */
export function graphOfCase(
  { op, detail = "", opset = 17, make }: OperatorCase,
  seed: number,
): { graph: Graph; feeds: Map<string, Tensor> } {
  const { inputs, attributes = {}, outputs = 1 } = make(new Draw(seed, `${op} ${detail}`));
  const feeds = new Map<string, Tensor>();
  const constants = new Map<string, Tensor>();
  const names = inputs.map((input, i) => {
    if (input === undefined) return "";
    if ("fixed" in input) constants.set(`c${i}`, input.fixed);
    else feeds.set(`x${i}`, input);
    return "fixed" in input ? `c${i}` : `x${i}`;
  });
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const graph: Graph = {
    name: op,
    opsets: new Map([["", opset]]),
    inputs: [...feeds].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    weights: new Map(),
    constants,
    nodes: [
      {
        name: "node",
        op,
        domain: "",
        inputs: names,
        outputs: results,
        attributes: new Map(Object.entries(attributes)),
      },
    ],
    outputs: results.map((name) => ({ name })),
  };
  return { graph, feeds };
}

/** A case of an operator of one operand. */
export const unary = (
  op: string,
  attributes: (draw: Draw) => Record<string, Attribute> = () => ({}),
  positive = false,
): OperatorCase => ({
  op,
  make: (draw) => {
    const shape = draw.shape(draw.between(1, 4));
    return { inputs: [positive ? draw.positive(shape) : draw.normal(shape)], attributes: attributes(draw) };
  },
});
