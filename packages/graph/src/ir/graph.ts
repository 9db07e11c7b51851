import type { DType, Tensor, TensorInfo } from "@isthmus/core";
import type { Loss } from "../scoring/losses.ts";

/** An attribute of a node, tagged with its ONNX type so that it can be written back. */
export type Attribute =
  | {
      /** Tag of a whole number. */
      readonly type: "int";
      /** Whole number within the safe integers. */
      readonly value: number;
    }
  | {
      /** Tag of a number in f32. */
      readonly type: "float";
      /** Number, rounded to f32 in files. */
      readonly value: number;
    }
  | {
      /** Tag of a text. */
      readonly type: "string";
      /** Text, stored as UTF-8 in files. */
      readonly value: string;
    }
  | {
      /** Tag of a tensor. */
      readonly type: "tensor";
      /** Tensor with its elements. */
      readonly value: Tensor;
    }
  | {
      /** Tag of a branch or the body of a loop. */
      readonly type: "graph";
      /** Graph that may read values of the graph around it. */
      readonly value: Graph;
    }
  | {
      /** Tag of a list of whole numbers. */
      readonly type: "ints";
      /** Whole numbers within the safe integers, such as axes or strides. */
      readonly value: readonly number[];
    }
  | {
      /** Tag of a list of numbers in f32. */
      readonly type: "floats";
      /** Numbers, rounded to f32 in files. */
      readonly value: readonly number[];
    }
  | {
      /** Tag of a list of texts. */
      readonly type: "strings";
      /** Texts, stored as UTF-8 in files. */
      readonly value: readonly string[];
    };

/** Call of a framework from which an exporter made a node, as the file records it. */
export interface NodeOrigin {
  /** Operator of the framework, such as `aten.linear.default`. */
  readonly operator: string;
  /** Parameters and buffers that the call reads, in the exporter's spelling, such as `p_fc1_weight`. */
  readonly parameters: readonly string[];
}

/** One application of an operator. */
export interface Node {
  /** Name, unique within the graph; derived from the operator and the first output if the file has none. */
  readonly name: string;
  /** Name of the operator, such as `MatMul`. */
  readonly op: string;
  /** Name of the operator set; `""` is ONNX's own. */
  readonly domain: string;
  /** Names of values; `""` for an optional input that is left out. */
  readonly inputs: readonly string[];
  /** Names of values; `""` for an optional output that is left out. */
  readonly outputs: readonly string[];
  /** Settings of the operator by name; the operator has defaults for missing ones. */
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Call from which the node was made; absent if the file does not record it. */
  readonly origin?: NodeOrigin;
}

/** A graph input or output. */
export interface ValueInfo {
  /** Name of the value, under which it is fed or returned. */
  readonly name: string;
  /**
   * Element type; absent if the file does not state it, as for an intermediate value exposed as an output.
   */
  readonly dtype?: DType;
  /** Extents, with names for symbolic ones; absent if the file does not state them. */
  readonly shape?: readonly (number | string)[];
}

/** Role of a weight in the network: a parameter is trained; a statistic is measured, as by batch norm. */
export type WeightRole = "parameter" | "statistic";

/** A weight that a graph expects to be fed. */
export interface WeightInfo extends TensorInfo {
  /** Role in the network: whether the weight is trained, or measured. */
  readonly role: WeightRole;
}

/**
 * An architecture: an ONNX graph whose weights are inputs, so that any checkpoint can be fed to it.
 *
 * Nodes are in topological order. Every value is a data input, a weight, a constant or a node's output.
 */
export interface Graph {
  /** Name of the graph in its file, for messages; may be empty. */
  readonly name: string;
  /** Operator set versions by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Data inputs: the batch of examples, in the file's order. */
  readonly inputs: readonly ValueInfo[];
  /** Weights by name, in the file's order. */
  readonly weights: ReadonlyMap<string, WeightInfo>;
  /** Tensors that belong to the architecture rather than to a checkpoint: shapes, masks, scales. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Applications of operators in topological order. */
  readonly nodes: readonly Node[];
  /** Values that a run returns, in the file's order. */
  readonly outputs: readonly ValueInfo[];
  /**
   * Names of outputs of the file that do not count as the graph's function, so that the order of their units
   * is free.
   */
  readonly uncounted?: readonly string[];
  /**
   * Name of the scored value, an output or an intermediate value; absent for the default, which `scoringOf`
   * describes.
   */
  readonly scored?: string;
  /** Loss by which networks are scored; absent if it follows from labels and outputs, see `lossOf`. */
  readonly loss?: Loss;
  /**
   * Element type and concrete shape of every value for one batch size; absent if they are unknown. A graph
   * with types and with concrete inputs is *typed*: `specialize` makes such graphs, and building and
   * differentiating require them. If the inputs take any batch, the types only save the run by which
   * symmetries are discovered.
   */
  readonly types?: ReadonlyMap<string, TensorInfo>;
}
