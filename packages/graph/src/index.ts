export type { Batch, DataSet, Scaling } from "./data-set.ts";
export type { Engine, LoadOptions, Session } from "./engine.ts";
export {
  createEvaluator,
  EVALUATOR_DEFAULTS,
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
} from "./evaluate/create-evaluator.ts";
export { bakeWeights } from "./ir/bake-weights.ts";
export { assertBindable, bindWeights } from "./ir/bind-weights.ts";
export { exposeValues } from "./ir/expose-values.ts";
export { extractSubgraph } from "./ir/extract-subgraph.ts";
export type { Attribute, Graph, Node, ValueInfo, WeightInfo, WeightRole } from "./ir/graph.ts";
export { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./onnx/decode-graph.ts";
export { encodeGraph } from "./onnx/encode-graph.ts";
export { readGraph } from "./onnx/read-graph.ts";
export type { ExternalReader } from "./onnx/tensor-proto.ts";
export type { Alignment } from "./symmetry/alignment.ts";
export {
  type ComponentField,
  type LayoutComponent,
  layoutComponents,
  mapComponent,
} from "./symmetry/layout-components.ts";
export type {
  AxisRef,
  FollowerFamily,
  FrozenAxis,
  Symmetry,
  SymmetrySpec,
  UnknownOperator,
  WeightField,
  WeightLayout,
} from "./symmetry/spec.ts";
