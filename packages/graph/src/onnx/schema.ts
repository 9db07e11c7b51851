/** Encoding of one protobuf field, and its name in a decoded message. */
export interface Field {
  readonly name: string;
  /**
   * Type of the field: `int` is read as a number, `int64` and `uint64` exactly, as a bigint; a function is a
   * nested message.
   */
  readonly kind: "int" | "int64" | "uint64" | "float" | "double" | "string" | "bytes" | (() => Schema);
  readonly repeated?: boolean;
}

/** Fields of a message by number; fields that are not listed are skipped when read. */
export type Schema = Readonly<Record<number, Field>>;

/** `onnx.OperatorSetIdProto`. */
export interface OperatorSetProto {
  domain?: string;
  version?: number;
}

/** `onnx.StringStringEntryProto`. */
export interface EntryProto {
  key?: string;
  value?: string;
}

/** `onnx.TensorProto`. */
export interface TensorProto {
  dims?: number[];
  dataType?: number;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: bigint[];
  doubleData?: number[];
  uint64Data?: bigint[];
  name?: string;
  rawData?: Uint8Array;
  externalData?: EntryProto[];
  dataLocation?: number;
}

/** `onnx.TensorShapeProto.Dimension`. */
export interface DimensionProto {
  value?: number;
  param?: string;
}

/** `onnx.ValueInfoProto`, with its nested type messages. */
export interface ValueInfoProto {
  name?: string;
  type?: { tensor?: { elemType?: number; shape?: { dim?: DimensionProto[] } } };
}

/** `onnx.AttributeProto`. */
export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: number[];
  strings?: Uint8Array[];
  type?: number;
  refAttrName?: string;
}

/** `onnx.NodeProto`. */
export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  domain?: string;
  overload?: string;
  metadataProps?: EntryProto[];
}

/** `onnx.GraphProto`. */
export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  sparseInitializer?: Uint8Array[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
}

/** `onnx.FunctionProto`. */
export interface FunctionProto {
  name?: string;
  input?: string[];
  output?: string[];
  node?: NodeProto[];
  opsetImport?: OperatorSetProto[];
  domain?: string;
  /** Attributes with defaults; attributes without a default are not listed. */
  attributeProto?: AttributeProto[];
  overload?: string;
}

/** `onnx.ModelProto`. */
export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  graph?: GraphProto;
  opsetImport?: OperatorSetProto[];
  functions?: FunctionProto[];
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
