export {
  type GaussNewtonOptions,
  type GradientOuterOptions,
  gaussNewtonProduct,
  gradientOuterProduct,
} from "./gauss-newton-product.ts";
export { type GradientOptions, gradient, type PullBackOptions, pullBack } from "./gradient.ts";
export { hessianVectorProduct, productName, vectorName } from "./hessian-vector-product.ts";
export { lowerBatchNorm } from "./lower/lower-batch-norm.ts";
