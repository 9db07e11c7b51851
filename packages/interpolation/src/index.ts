export { average, averageInto, normalizeWeights } from "./average.ts";
export { type Combination, combine, scanTensor, type TensorRange, withRanges } from "./combine.ts";
export { CURVE_KINDS, type CurveKind, type CurvePoints, createCurve, curveCoefficients } from "./curve.ts";
export { distance } from "./distance.ts";
export { type InnerProductsOptions, innerProducts } from "./inner-products.ts";
export { type LerpPlace, lerp } from "./lerp.ts";
export { assertLayerPatterns, fitsLayer, layerOf, mergeLayers } from "./merge-layers.ts";
export { createPath, PATH_KINDS, type Path, type PathKind } from "./path.ts";
export {
  createPlane,
  type Plane,
  type PlaneNetworks,
  type PlaneOptions,
  type PlanePlace,
  type PlaneProjection,
} from "./plane.ts";
export { measureAngle, slerp } from "./slerp.ts";
