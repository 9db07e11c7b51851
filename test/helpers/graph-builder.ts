import { allocateData, type DType, sizeOf, type Tensor } from "@isthmus/core";
import type { Attribute, Graph, Node, ValueInfo, WeightInfo, WeightRole } from "@isthmus/graph";

type AttributeValue = number | string | readonly number[] | Attribute;

/** Builds small graphs in code, value by value. */
export class GraphBuilder {
  readonly #inputs: ValueInfo[] = [];
  readonly #weights = new Map<string, WeightInfo>();
  readonly #constants = new Map<string, Tensor>();
  readonly #nodes: Node[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #opset: number;
  #count = 0;

  constructor(opset = 17) {
    this.#opset = opset;
  }

  /** A data input; the first extent is the batch. */
  input(name: string, extents: readonly number[], dtype: DType = "f32"): string {
    this.#inputs.push({ name, dtype, shape: ["N", ...extents] });
    return name;
  }

  weight(name: string, shape: readonly number[], role: WeightRole = "parameter"): string {
    this.#weights.set(name, { dtype: "f32", shape, role });
    return name;
  }

  /** A constant of f32, or of i64 where `whole`. */
  constant(values: readonly number[], shape: readonly number[], whole = false): string {
    const dtype = whole ? "i64" : "f32";
    const data = allocateData(dtype, sizeOf(shape));
    values.forEach((value, i) => {
      data[i] = whole ? BigInt(value) : value;
    });
    const name = `constant.${this.#count++}`;
    this.#constants.set(name, { dtype, shape, data });
    return name;
  }

  ints(...values: readonly number[]): string {
    return this.constant(values, [values.length], true);
  }

  /** A node with one output. */
  op(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.ops(op, inputs, 1, attributes)[0] ?? "";
  }

  /** A node with several outputs. */
  ops(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Record<string, AttributeValue> = {},
  ): string[] {
    const name = `${op}.${this.#count++}`;
    const outputs = Array.from({ length: count }, (_, i) => `${name}:${i}`);
    const entries = Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)] as const);
    this.#nodes.push({ name, op, domain: "", inputs, outputs, attributes: new Map(entries) });
    return outputs;
  }

  /** `x W + b` along the last axis, with weights `name.weight` `[from, to]` and `name.bias`. */
  linear(x: string, name: string, from: number, to: number): string {
    const product = this.op("MatMul", [x, this.weight(`${name}.weight`, [from, to])]);
    return this.op("Add", [product, this.weight(`${name}.bias`, [to])]);
  }

  /** A convolution with 3 x 3 kernel that keeps the spatial extents. */
  conv(x: string, name: string, [from, to]: readonly [number, number], group = 1): string {
    const weight = this.weight(`${name}.weight`, [to, from / group, 3, 3]);
    const inputs = [x, weight, this.weight(`${name}.bias`, [to])];
    return this.op("Conv", inputs, { group, pads: [1, 1, 1, 1], kernel_shape: [3, 3] });
  }

  reshape(x: string, ...shape: readonly number[]): string {
    return this.op("Reshape", [x, this.ints(...shape)]);
  }

  transpose(x: string, ...perm: readonly number[]): string {
    return this.op("Transpose", [x], { perm });
  }

  /** `start`, `end` and step along one axis. */
  slice(x: string, axis: number, [start, end, step = 1]: readonly [number, number, number?]): string {
    const inputs = [x, this.ints(start), this.ints(end), this.ints(axis), this.ints(step)];
    return this.op("Slice", inputs);
  }

  output(value: string): this {
    this.#outputs.push({ name: value });
    return this;
  }

  build(name = "module"): Graph {
    return {
      name,
      opsets: new Map([["", this.#opset]]),
      inputs: this.#inputs,
      weights: this.#weights,
      constants: this.#constants,
      nodes: this.#nodes,
      outputs: this.#outputs,
    };
  }
}

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === "number") {
    return Number.isInteger(value) ? { type: "int", value } : { type: "float", value };
  }
  if (typeof value === "string") return { type: "string", value };
  if (Array.isArray(value)) return { type: "ints", value };
  return value as Attribute;
}
