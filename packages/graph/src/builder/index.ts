export { broadcastShapes } from "./broadcast-shapes.ts";
export type { Operand, Value } from "./graph-builder.ts";
export { type BuildOptions, GraphBuilder, type PlainAttributes } from "./graph-builder.ts";
export {
  clip,
  elu,
  GELU_CUBIC,
  GELU_SLOPE,
  gelu,
  hardSigmoid,
  hardSwish,
  silu,
  softplus,
} from "./operators/activation.ts";
export { type ConvOptions, type ConvTransposeOptions, conv, convTranspose } from "./operators/convolve.ts";
export { dropout } from "./operators/dropout.ts";
export {
  abs,
  add,
  and,
  cast,
  cos,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterOrEqual,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  max,
  min,
  mul,
  neg,
  not,
  or,
  pow,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  sum,
  tanh,
  where,
} from "./operators/elementwise.ts";
export {
  concat,
  expand,
  gather,
  gatherElements,
  pad,
  reshape,
  type SliceRange,
  slice,
  split,
  squeeze,
  transpose,
  transposeLast,
  unsqueeze,
} from "./operators/layout.ts";
export { type GemmOptions, gemm, matMul } from "./operators/linear.ts";
export {
  type Affine,
  type BatchNormWeights,
  batchNorm,
  groupNorm,
  layerNorm,
  logSoftmax,
  softmax,
} from "./operators/normalize.ts";
export { cumSum, depthToSpace, reverse, spaceToDepth, tile, triangle } from "./operators/order.ts";
export {
  type AveragePoolOptions,
  averagePool,
  globalAveragePool,
  globalMaxPool,
  maxPool,
  maxPoolIndices,
  type PoolOptions,
} from "./operators/pool.ts";
export {
  argMax,
  type ReduceOptions,
  reduceL2,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
} from "./operators/reduce.ts";
export {
  gatherND,
  SCATTER_ADDS,
  type ScatterOptions,
  scatterElements,
  scatterND,
} from "./operators/scatter.ts";
