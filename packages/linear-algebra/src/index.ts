export { type DominantSubspaces, dominantSubspaces, type RangeFinderOptions } from "./dominant-subspaces.ts";
export type { SymmetricEigen } from "./eigen/eigen-steps.ts";
export { gramMatrix } from "./gram-matrix.ts";
export { type GramSvdOptions, gramSvd } from "./gram-svd.ts";
export { invertCholesky } from "./invert-cholesky.ts";
export { largestEigenvectors } from "./largest-eigenvectors.ts";
export {
  type AtomBlock,
  type MatchPursuitOptions,
  type MatchPursuitResult,
  matchPursuit,
  type PursuitAtoms,
} from "./match-pursuit.ts";
export {
  convertLike,
  createMatrix,
  joinColumns,
  type Matrix,
  type MatrixData,
  sliceColumns,
  toFloat64Matrix,
  zerosLike,
} from "./matrix.ts";
export { type OrthonormalizeOptions, orthonormalize } from "./orthonormalize.ts";
export { type PolarFactorOptions, polarFactor } from "./polar-factor.ts";
export { createProducts, plainProducts } from "./products/create-products.ts";
export type { MatrixProductOptions, MatrixProducts } from "./products/matrix-products.ts";
export { multiply } from "./products/multiply.ts";
export { solvePositiveDefinite } from "./solve-positive-definite.ts";
export { type Svd, svd, transposeMatrix } from "./svd.ts";
export { symmetricEigen } from "./symmetric-eigen.ts";
export { type TruncatedSvd, truncatedSvd } from "./truncated-svd.ts";
