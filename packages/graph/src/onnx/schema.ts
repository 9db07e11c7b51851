/** Encoding of one protobuf field, and its name in a decoded message. */
export interface Field {
  /** Name of the field in a decoded message. */
  readonly name: string;
  /**
   * Type of the field: `int` is read as a number, `int64` and `uint64` exactly, as a bigint; a function is a
   * nested message.
   */
  readonly kind: "int" | "int64" | "uint64" | "float" | "double" | "string" | "bytes" | (() => Schema);
  /** Whether the field is a list; absent for single values. */
  readonly repeated?: boolean;
}

/** Fields of a message by number; fields that are not listed are skipped when read. */
export type Schema = Readonly<Record<number, Field>>;

/** `onnx.OperatorSetIdProto`. */
export interface OperatorSetProto {
  /** Domain of the operator set; absent or `ai.onnx` for ONNX's own. */
  domain?: string;
  /** Version of the operator set. */
  version?: number;
}

/** `onnx.StringStringEntryProto`. */
export interface EntryProto {
  /** Name of the entry. */
  key?: string;
  /** Text of the entry. */
  value?: string;
}

/** `onnx.TensorProto`. */
export interface TensorProto {
  /** Extents of the axes; absent for a scalar. */
  dims?: number[];
  /** Code of the element type, `TensorProto.DataType`: 1 is f32. */
  dataType?: number;
  /** Elements of type f32, if they are not in `rawData`. */
  floatData?: number[];
  /** Elements of whole numbers up to 32 bits, or bits of f16 and bf16, if they are not in `rawData`. */
  int32Data?: number[];
  /** Elements of type i64, if they are not in `rawData`. */
  int64Data?: bigint[];
  /** Elements of type f64, if they are not in `rawData`. */
  doubleData?: number[];
  /** Elements of types u32 and u64, if they are not in `rawData`. */
  uint64Data?: bigint[];
  /** Name of the tensor; the value that it initializes. */
  name?: string;
  /** Elements as bytes, little-endian and row-major. */
  rawData?: Uint8Array;
  /** Location, offset and length of the elements in another file. */
  externalData?: EntryProto[];
  /** Place of the elements: 0 or absent for this message, 1 for another file. */
  dataLocation?: number;
}

/** `onnx.TensorShapeProto.Dimension`. */
export interface DimensionProto {
  /** Extent, if it is known. */
  value?: number;
  /** Name of the extent, if it is symbolic. */
  param?: string;
}

/** `onnx.ValueInfoProto`, with its nested type messages. */
export interface ValueInfoProto {
  /** Name of the value. */
  name?: string;
  /**
   * Type of the value: code of its elements and extents of its axes; absent if the file does not state it.
   */
  type?: { tensor?: { elemType?: number; shape?: { dim?: DimensionProto[] } } };
}

/** `onnx.AttributeProto`. */
export interface AttributeProto {
  /** Name of the attribute, unique in its node. */
  name?: string;
  /** Number of an attribute of type 1. */
  f?: number;
  /** Whole number of an attribute of type 2. */
  i?: number;
  /** Text of an attribute of type 3, in UTF-8. */
  s?: Uint8Array;
  /** Tensor of an attribute of type 4. */
  t?: TensorProto;
  /** Graph of an attribute of type 5. */
  g?: GraphProto;
  /** Numbers of an attribute of type 6. */
  floats?: number[];
  /** Whole numbers of an attribute of type 7. */
  ints?: number[];
  /** Texts of an attribute of type 8, in UTF-8. */
  strings?: Uint8Array[];
  /** Code of the type, `AttributeProto.AttributeType`, which says which field has the value. */
  type?: number;
  /** Name of the attribute of the calling node from which a node in a function takes the value. */
  refAttrName?: string;
}

/** `onnx.NodeProto`. */
export interface NodeProto {
  /** Names of the operands; empty for optional operands that are left out. */
  input?: string[];
  /** Names of the results; empty for optional results that are left out. */
  output?: string[];
  /** Name of the node; often absent. */
  name?: string;
  /** Name of the operator, or of a function of the model. */
  opType?: string;
  /** Settings of the operator. */
  attribute?: AttributeProto[];
  /** Domain of the operator set; absent or `ai.onnx` for ONNX's own. */
  domain?: string;
  /** Name that distinguishes functions of the same name and domain. */
  overload?: string;
  /** Entries in which exporters note the origin of the node. */
  metadataProps?: EntryProto[];
}

/** `onnx.GraphProto`. */
export interface GraphProto {
  /** Nodes in topological order. */
  node?: NodeProto[];
  /** Name of the graph. */
  name?: string;
  /** Tensors that the file contains: weights and constants. */
  initializer?: TensorProto[];
  /** Sparse tensors, which are not decoded, as models with them are refused. */
  sparseInitializer?: Uint8Array[];
  /** Inputs with their types; older files list initializers here, too. */
  input?: ValueInfoProto[];
  /** Outputs with their types. */
  output?: ValueInfoProto[];
}

/** `onnx.FunctionProto`. */
export interface FunctionProto {
  /** Name of the function, by which nodes call it. */
  name?: string;
  /** Names of the function's parameters. */
  input?: string[];
  /** Names of the function's results. */
  output?: string[];
  /** Nodes of the function's body, in topological order. */
  node?: NodeProto[];
  /** Operator sets that the body uses. */
  opsetImport?: OperatorSetProto[];
  /** Domain of the function, part of its identity. */
  domain?: string;
  /** Attributes with defaults; attributes without a default are not listed. */
  attributeProto?: AttributeProto[];
  /** Name that distinguishes functions of the same name and domain. */
  overload?: string;
}

/** `onnx.ModelProto`. */
export interface ModelProto {
  /** Version of the format of the file. */
  irVersion?: number;
  /** Name of the program that wrote the file. */
  producerName?: string;
  /** Graph of the model. */
  graph?: GraphProto;
  /** Operator sets that the graph uses, each with its version. */
  opsetImport?: OperatorSetProto[];
  /** Functions that nodes of the graph call. */
  functions?: FunctionProto[];
  /** Entries with facts about the model, such as the name of the scored value. */
  metadataProps?: EntryProto[];
}

const many = true;

const OPERATOR_SET: Schema = {
  1: { name: "domain", kind: "string" },
  2: { name: "version", kind: "int" },
};

const ENTRY: Schema = {
  1: { name: "key", kind: "string" },
  2: { name: "value", kind: "string" },
};

const TENSOR: Schema = {
  1: { name: "dims", kind: "int", repeated: many },
  2: { name: "dataType", kind: "int" },
  4: { name: "floatData", kind: "float", repeated: many },
  5: { name: "int32Data", kind: "int", repeated: many },
  7: { name: "int64Data", kind: "int64", repeated: many },
  8: { name: "name", kind: "string" },
  9: { name: "rawData", kind: "bytes" },
  10: { name: "doubleData", kind: "double", repeated: many },
  11: { name: "uint64Data", kind: "uint64", repeated: many },
  13: { name: "externalData", kind: () => ENTRY, repeated: many },
  14: { name: "dataLocation", kind: "int" },
};

const DIMENSION: Schema = {
  1: { name: "value", kind: "int" },
  2: { name: "param", kind: "string" },
};

const SHAPE: Schema = { 1: { name: "dim", kind: () => DIMENSION, repeated: many } };

const TENSOR_TYPE: Schema = {
  1: { name: "elemType", kind: "int" },
  2: { name: "shape", kind: () => SHAPE },
};

const TYPE: Schema = { 1: { name: "tensor", kind: () => TENSOR_TYPE } };

const VALUE_INFO: Schema = {
  1: { name: "name", kind: "string" },
  2: { name: "type", kind: () => TYPE },
};

const ATTRIBUTE: Schema = {
  1: { name: "name", kind: "string" },
  2: { name: "f", kind: "float" },
  3: { name: "i", kind: "int" },
  4: { name: "s", kind: "bytes" },
  5: { name: "t", kind: () => TENSOR },
  6: { name: "g", kind: () => GRAPH },
  7: { name: "floats", kind: "float", repeated: many },
  8: { name: "ints", kind: "int", repeated: many },
  9: { name: "strings", kind: "bytes", repeated: many },
  20: { name: "type", kind: "int" },
  21: { name: "refAttrName", kind: "string" },
};

const NODE: Schema = {
  1: { name: "input", kind: "string", repeated: many },
  2: { name: "output", kind: "string", repeated: many },
  3: { name: "name", kind: "string" },
  4: { name: "opType", kind: "string" },
  5: { name: "attribute", kind: () => ATTRIBUTE, repeated: many },
  7: { name: "domain", kind: "string" },
  8: { name: "overload", kind: "string" },
  9: { name: "metadataProps", kind: () => ENTRY, repeated: many },
};

const GRAPH: Schema = {
  1: { name: "node", kind: () => NODE, repeated: many },
  2: { name: "name", kind: "string" },
  5: { name: "initializer", kind: () => TENSOR, repeated: many },
  11: { name: "input", kind: () => VALUE_INFO, repeated: many },
  12: { name: "output", kind: () => VALUE_INFO, repeated: many },
  15: { name: "sparseInitializer", kind: "bytes", repeated: many },
};

const FUNCTION: Schema = {
  1: { name: "name", kind: "string" },
  4: { name: "input", kind: "string", repeated: many },
  5: { name: "output", kind: "string", repeated: many },
  7: { name: "node", kind: () => NODE, repeated: many },
  9: { name: "opsetImport", kind: () => OPERATOR_SET, repeated: many },
  10: { name: "domain", kind: "string" },
  11: { name: "attributeProto", kind: () => ATTRIBUTE, repeated: many },
  13: { name: "overload", kind: "string" },
};

/**
 * Fields of `onnx.ModelProto` that are read and written.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 */
export const MODEL: Schema = {
  1: { name: "irVersion", kind: "int" },
  2: { name: "producerName", kind: "string" },
  7: { name: "graph", kind: () => GRAPH },
  8: { name: "opsetImport", kind: () => OPERATOR_SET, repeated: many },
  14: { name: "metadataProps", kind: () => ENTRY, repeated: many },
  25: { name: "functions", kind: () => FUNCTION, repeated: many },
};
