import { at, convertData, entry, sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { int, ints } from "../ir/attributes.ts";
import type { Attribute, Node, WeightInfo } from "../ir/graph.ts";
import {
  type ConcatenatedSource,
  type Rearrangement,
  type SpectralNormSource,
  type TensorSource,
  tensorsOf,
  type WeightNormSource,
} from "./weight-source.ts";

/** A kernel as a matrix with one row for each output. */
interface KernelRows {
  readonly outputs: number;
  readonly width: number;
  /** Name of the value `[outputs, width]`. */
  readonly matrix: string;
}

const PLAIN: ReadonlyMap<string, Attribute> = new Map();

/** Maker of the nodes and constants that compute weights of a graph from the tensors of a checkpoint. */
export class WeightMaker {
  /** Tensors that have become weights, by name. */
  readonly weights: Map<string, WeightInfo> = new Map();
  /** Nodes in order. */
  readonly nodes: Node[] = [];
  /** Constants of the graph and of the nodes, by name. */
  readonly constants: Map<string, Tensor>;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #taken: Set<string>;

  /**
   * @param tensors - types of the checkpoint's tensors
   * @param constants - constants of the graph, to which others are added
   * @param taken - names that are taken, to which others are added
   */
  constructor(tensors: ReadonlyMap<string, TensorInfo>, constants: Map<string, Tensor>, taken: Set<string>) {
    this.#tensors = tensors;
    this.constants = constants;
    this.#taken = taken;
  }

  /** Computes a weight from its source and returns the name of the value. */
  make(
    source: TensorSource | ConcatenatedSource | WeightNormSource | SpectralNormSource,
    info: WeightInfo,
  ): string {
    switch (source.kind) {
      case "tensor":
        return this.rearranged(source, info);
      case "concatenated":
        return this.#joined(source, info);
      case "weight-norm":
        return this.#weightNorm(source, info);
      case "spectral-norm":
        return this.#spectralNorm(source, info);
    }
  }

  /** Declares a tensor of the checkpoint as a weight. */
  weight(tensor: string, { dtype, role }: Pick<WeightInfo, "dtype" | "role">): string {
    const { shape } = entry(this.#tensors, tensor, "tensor");
    if (!this.weights.has(tensor)) this.weights.set(tensor, { dtype, shape, role });
    return tensor;
  }

  /** Computes a tensor rearranged step by step. */
  rearranged({ tensor, steps }: TensorSource, info: WeightInfo): string {
    return steps.reduce(
      (value, step) => this.#step(value, step, `${tensor}/${step.kind}`),
      this.weight(tensor, info),
    );
  }

  #joined(source: ConcatenatedSource, info: WeightInfo): string {
    const { parts, shape } = source;
    const pieces = parts.map((part) =>
      part.kind === "tensor" ? this.rearranged(part, info) : this.#joined(part, info),
    );
    const name = `${at(tensorsOf(source), 0)}/joined`;
    const rows = this.#emit("Concat", pieces, new Map([["axis", int(0)]]), name);
    return this.#step(rows, { kind: "reshape", shape }, `${name}/reshape`);
  }

  /** Computes a kernel from lengths and directions, `length direction / |direction|` for each output. */
  #weightNorm({ length, direction }: WeightNormSource, info: WeightInfo): string {
    const { outputs, width, matrix } = this.#rowsOf(direction, info);
    const lengths = this.#column(this.weight(length, info), outputs, `${direction}/length`);
    // A product with itself and with ones computes a sum of squares in every operator set, whereas reductions
    // differ.
    const squares = this.#emit("Mul", [matrix, matrix], PLAIN, `${direction}/squares`);
    const ones = this.constant(1, { dtype: info.dtype, shape: [width, 1] });
    const sums = this.#emit("MatMul", [squares, ones], PLAIN, `${direction}/sums`);
    const norm = this.#emit("Sqrt", [sums], PLAIN, `${direction}/norm`);
    const scale = this.#emit("Div", [lengths, norm], PLAIN, `${direction}/scale`);
    const scaled = this.#emit("Mul", [matrix, scale], PLAIN, `${direction}/scaled`);
    return this.#step(scaled, { kind: "reshape", shape: info.shape }, `${direction}/kernel`);
  }

  /** Computes a kernel divided by its largest singular value, `kernel / (left kernel right)`. */
  #spectralNorm({ kernel, left, right }: SpectralNormSource, info: WeightInfo): string {
    const { outputs, width, matrix } = this.#rowsOf(kernel, info);
    const as = { dtype: info.dtype, role: "statistic" as const };
    const column = this.#column(this.weight(right, as), width, `${kernel}/right`);
    const row = this.#step(this.weight(left, as), { kind: "reshape", shape: [1, outputs] }, `${kernel}/left`);
    const product = this.#emit("MatMul", [matrix, column], PLAIN, `${kernel}/product`);
    const value = this.#emit("MatMul", [row, product], PLAIN, `${kernel}/value`);
    const divided = this.#emit("Div", [matrix, value], PLAIN, `${kernel}/divided`);
    return this.#step(divided, { kind: "reshape", shape: info.shape }, `${kernel}/kernel`);
  }

  /** Reshapes a kernel to one row for each output, `[outputs, width]`. */
  #rowsOf(kernel: string, info: WeightInfo): KernelRows {
    const [outputs = 1] = info.shape;
    const width = sizeOf(info.shape) / outputs;
    const value = this.weight(kernel, info);
    const matrix = this.#step(value, { kind: "reshape", shape: [outputs, width] }, `${kernel}/rows`);
    return { outputs, width, matrix };
  }

  #column(vector: string, length: number, name: string): string {
    return this.#step(vector, { kind: "reshape", shape: [length, 1] }, name);
  }

  #step(value: string, step: Rearrangement, name: string): string {
    switch (step.kind) {
      case "transpose":
        return this.#emit("Transpose", [value], new Map([["perm", ints(step.permutation)]]), name);
      case "reshape":
        return this.#emit("Reshape", [value, this.#integers(step.shape)], new Map(), name);
      case "expand":
        return this.#emit("Expand", [value, this.#integers(step.shape)], new Map(), name);
      case "gather":
        return this.#emit("Gather", [value, this.#integers(step.indices)], new Map([["axis", int(0)]]), name);
      case "slice": {
        const bounds = [step.begin, step.end, step.axis].map((bound) => this.#integers([bound]));
        return this.#emit("Slice", [value, ...bounds], new Map(), name);
      }
    }
  }

  #emit(
    op: string,
    inputs: readonly string[],
    attributes: ReadonlyMap<string, Attribute>,
    name: string,
  ): string {
    const output = this.fresh(name);
    this.nodes.push({ name: output, op, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  #integers(values: readonly number[]): string {
    const name = this.fresh(`shape/${values.slice(0, 4).join("x")}`);
    const data = BigInt64Array.from(values, BigInt);
    this.constants.set(name, { dtype: "i64", shape: [values.length], data });
    return name;
  }

  /** Returns an unused name, the base itself if it is free. */
  fresh(base: string): string {
    let name = base;
    for (let copy = 2; this.#taken.has(name); copy++) name = `${base}#${copy}`;
    this.#taken.add(name);
    return name;
  }

  /** Adds a constant whose elements all have one value. */
  constant(value: number, { dtype, shape }: TensorInfo): string {
    const name = this.fresh(`constant/${value}`);
    const data = convertData(new Float64Array(sizeOf(shape)).fill(value), "f64", dtype);
    this.constants.set(name, { dtype, shape, data });
    return name;
  }
}
