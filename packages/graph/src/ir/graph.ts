import type { DType, Tensor, TensorInfo } from "@isthmus/core";
import type { Loss } from "../scoring/losses.ts";

/** An attribute of a node, tagged with its ONNX type so that it can be written back. */
export type Attribute =
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Graph }
  | { readonly type: "ints"; readonly value: readonly number[] }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] };

/** The call of a framework that an exporter made a node from, as the file records it. */
export interface NodeOrigin {
  /** Operator of the framework, such as `aten.linear.default`. */
  readonly operator: string;
  /** Parameters and buffers that the call reads, in the exporter's spelling, such as `p_fc1_weight`. */
  readonly parameters: readonly string[];
}

/** One application of an operator. */
export interface Node {
  /** Name, unique within the graph; made from the operator and the first output where a file has none. */
  readonly name: string;
  readonly op: string;
  /** Name of the operator set; `""` is ONNX's own. */
  readonly domain: string;
  /** Names of values; `""` for an optional input that is left out. */
  readonly inputs: readonly string[];
  /** Names of values; `""` for an optional output that is left out. */
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** The call that the node was made from; absent if the file does not record it. */
  readonly origin?: NodeOrigin;
}

/** A graph input or output. */
export interface ValueInfo {
  readonly name: string;
  /**
   * Element type; absent where the file does not state it, as for an intermediate value exposed as an output.
   */
  readonly dtype?: DType;
  /** Extents, symbolic extents as their names; absent where the file does not state them. */
  readonly shape?: readonly (number | string)[];
}

/** Role of a weight in the network: a parameter is trained; a statistic is measured, as by batch norm. */
export type WeightRole = "parameter" | "statistic";

/** A weight that a graph expects to be fed. */
export interface WeightInfo extends TensorInfo {
  readonly role: WeightRole;
}

/**
 * An architecture: an ONNX graph whose weights are inputs, so that any checkpoint can be fed to it.
 *
 * Nodes are in topological order. Every value is a data input, a weight, a constant or a node's output.
 */
export interface Graph {
  readonly name: string;
  /** Operator set versions by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Data inputs: the batch of examples, in the file's order. */
  readonly inputs: readonly ValueInfo[];
  /** Weights by name, in the file's order. */
  readonly weights: ReadonlyMap<string, WeightInfo>;
  /** Tensors that belong to the architecture and not to a checkpoint: shapes, masks, scales. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly Node[];
  readonly outputs: readonly ValueInfo[];
  /** Names of values that its file returns and that do not count, so that their order is free. */
  readonly uncounted?: readonly string[];
  /**
   * Name of the value that networks are scored by, an output or any value between; absent if the outputs
   * decide, as `scoringOf` describes.
   */
  readonly scored?: string;
  /** Loss that networks are scored by; absent if it follows from labels and outputs, see `lossOf`. */
  readonly loss?: Loss;
  /**
   * Element type and concrete shape of every value for one batch size; absent if they are not
   * known. A graph with them and with concrete inputs is *typed*, as `specialize` makes it and as
   * building and differentiating need it. If its inputs take any batch, the types only save the run
   * by which symmetries are discovered.
   */
  readonly types?: ReadonlyMap<string, TensorInfo>;
}
