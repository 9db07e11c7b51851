import type { Matrix } from "../matrix.ts";
import type { MatrixProductOptions, MatrixProducts } from "./matrix-products.ts";
import { multiply } from "./multiply.ts";

/** A product of matrices that an algorithm asks for. */
interface ProductRequest {
  readonly left: Matrix;
  readonly right: Matrix;
  readonly options: MatrixProductOptions;
}

/**
 * An algorithm that stops at each product of matrices until it gets the result, so that one text of the
 * algorithm runs on this thread at once, or waits for an engine.
 */
export type ProductSteps<Result> = Generator<ProductRequest, Result, Matrix>;

/** Asks for the product of two matrices, each transposed first if asked for. */
export function* productOf(
  left: Matrix,
  right: Matrix,
  options: MatrixProductOptions = {},
): ProductSteps<Matrix> {
  return yield { left, right, options };
}

/** Runs an algorithm to its end on this thread. */
export function runHere<Result>(steps: ProductSteps<Result>): Result {
  let next = steps.next();
  while (next.done !== true) {
    const { left, right, options } = next.value;
    next = steps.next(multiply(left, right, options));
  }
  return next.value;
}

/** Runs an algorithm to its end with the products of an engine. */
export async function runBy<Result>(products: MatrixProducts, steps: ProductSteps<Result>): Promise<Result> {
  let next = steps.next();
  while (next.done !== true) {
    const { left, right, options } = next.value;
    next = steps.next(await products.multiply(left, right, options));
  }
  return next.value;
}
