import { intAttribute } from "../../ir/attributes.ts";
import { ELEMENT_WISE_OPERATORS, REDUCTION_OPERATORS } from "../../ir/operator-families.ts";
import { castLike, concatenation, einsum, elementWise, gatherElements, gemm, matMul } from "./aligned.ts";
import {
  alongOne,
  argReduction,
  attention,
  batchFirst,
  batchNormalization,
  fromOne,
  reduction,
  softmax,
  triangle,
} from "./along.ts";
import {
  expansion,
  flattening,
  oneHot,
  padding,
  recurrence,
  reshaping,
  resizing,
  squeezing,
  tiling,
  transposition,
  unsqueezing,
} from "./moved.ts";
import { gathering, gatheringMany, slicing, splitting } from "./picked.ts";
import type { PlaceRule } from "./place-rule.ts";

/** Operators on images and similar values, whose first axis is the batch. */
const BATCH_FIRST =
  "Conv ConvTranspose MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool InstanceNormalization GroupNormalization LRN DepthToSpace SpaceToDepth";

/** Operators that return shapes, which contain the batch that is fed. */
const SHAPES = "Shape Size";

/** Says that the shape of a value holds no example. */
const shape: PlaceRule = () => ({ places: [] });

const attributeAxis = (fallback: number): PlaceRule =>
  alongOne(({ node }) => intAttribute(node, "axis", fallback));

/** Rule of each operator of ONNX's own set. The batch is lost behind an operator without a rule. */
export const PLACE_RULES: ReadonlyMap<string, PlaceRule> = new Map<string, PlaceRule>([
  ...ELEMENT_WISE_OPERATORS.map((op) => [op, elementWise] as const),
  ...REDUCTION_OPERATORS.map((op) => [op, reduction] as const),
  ...BATCH_FIRST.split(" ").map((op) => [op, batchFirst] as const),
  ...SHAPES.split(" ").map((op) => [op, shape] as const),
  ["CastLike", castLike],
  ["Dropout", elementWise],
  ["MatMul", matMul],
  ["Gemm", gemm],
  ["Einsum", einsum],
  ["Concat", concatenation],
  ["GatherElements", gatherElements],
  ["BatchNormalization", batchNormalization],
  ["LayerNormalization", fromOne(-1)],
  ["RMSNormalization", fromOne(-1)],
  ["Attention", attention],
  ["RotaryEmbedding", attention],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["LpNormalization", attributeAxis(-1)],
  ["TopK", attributeAxis(-1)],
  ["CumSum", alongOne(({ numbers }) => numbers(1)?.[0])],
  ["ArgMax", argReduction],
  ["ArgMin", argReduction],
  ["Trilu", triangle],
  ["Transpose", transposition],
  ["Reshape", reshaping],
  ["Flatten", flattening],
  ["Squeeze", squeezing],
  ["Unsqueeze", unsqueezing],
  ["Expand", expansion],
  ["Tile", tiling],
  ["Slice", slicing],
  ["Split", splitting],
  ["Gather", gathering],
  ["GatherND", gatheringMany],
  ["Pad", padding],
  ["Resize", resizing],
  ["OneHot", oneHot],
  ["LSTM", recurrence],
  ["GRU", recurrence],
  ["RNN", recurrence],
]);
