export type { Engine, LoadOptions, Session } from "./engine.ts";
export type { Attribute, Graph, Node, ValueInfo, WeightInfo, WeightRole } from "./ir/graph.ts";
export type { Alignment } from "./symmetry/alignment.ts";
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
