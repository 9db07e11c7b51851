import { assertWholeOptions, innerProduct, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { type CountedProducts, countProducts } from "./counted-products.ts";
import {
  type ClosedForm,
  type LinearOperator,
  PRODUCT_DEFAULTS,
  type ProductOptions,
} from "./linear-operator.ts";
import { addMultipleInPlace, norm, scaleInPlace } from "./vectors.ts";

/** Options of {@link solve}. */
export interface SolveOptions extends Omit<ProductOptions, "seed"> {
  /** Number that is added to the operator's diagonal, at least 0. @defaultValue 0 */
  readonly damping?: number;
  /**
   * Residual, over the length of the right side, at which the solution is accurate enough.
   * @defaultValue 1e-6
   */
  readonly tolerance?: number;
  /** Largest number of products. @defaultValue 200 */
  readonly steps?: number;
}

const { seed: _, ...SHARED } = PRODUCT_DEFAULTS;

/** Defaults of {@link solve}. */
const SOLVE_DEFAULTS: Required<SolveOptions> = { ...SHARED, damping: 0, tolerance: 1e-6, steps: 200 };

/** Result of {@link solve}. */
export interface SolveResult {
  /** Vector `x` when the iteration ended, `[dimension]`. */
  readonly solution: Float64Array;
  /** Length of the residual over the length of the right side. */
  readonly residual: number;
  /**
   * Reason for the end of the iteration: `converged`; `steps`, if all products were used up;
   * `negative-curvature`, if the damped operator is not positive along a direction, so that more damping is
   * needed.
   */
  readonly stopped: "converged" | "steps" | "negative-curvature";
  /** Number of products made. */
  readonly products: number;
}

const ATTEMPT = "solve a linear system";

/**
 * Solves `(A + damping I) x = b` for a positive definite `A + damping I` by conjugate gradients; by one
 * product with the inverse if the operator has a closed form.
 * @param b - right side, `[dimension]`; it is not changed
 * @throws OutOfRangeError if an option is out of range, or `b` is of another length
 * @throws InputError if a product is not finite
 */
export async function solve(
  operator: LinearOperator,
  b: Float64Array,
  options: SolveOptions = {},
): Promise<SolveResult> {
  const resolved = resolveOptions(ATTEMPT, SOLVE_DEFAULTS, options);
  assertOptions(operator, b, resolved);
  if (operator.closedForm !== undefined) return solveClosed(operator.closedForm, b, resolved);
  const counted = countProducts(ATTEMPT, operator, { ...resolved, total: resolved.steps });
  return iterate(counted, b, resolved);
}

function assertOptions(
  { dimension }: LinearOperator,
  b: Float64Array,
  options: Required<SolveOptions>,
): void {
  assertWholeOptions(ATTEMPT, options, { steps: 1 });
  for (const name of ["damping", "tolerance"] as const) {
    if (options[name] >= 0) continue;
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${name}" must be at least 0: it is ${options[name]}`);
  }
  if (b.length === dimension) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} of ${dimension} rows as the right side must be as long: it has ${b.length} elements`,
  );
}

async function solveClosed(
  { applyInverse, eigenvalues }: ClosedForm,
  b: Float64Array,
  { damping }: Required<SolveOptions>,
): Promise<SolveResult> {
  const solution = new Float64Array(b.length);
  const least = eigenvalues().at(-1) ?? 0;
  if (!(least + damping > 0)) {
    return { solution, residual: 1, stopped: "negative-curvature", products: 0 };
  }
  await applyInverse(b, solution, damping);
  return { solution, residual: 0, stopped: "converged", products: 0 };
}

async function iterate(
  { multiply, completed }: CountedProducts,
  b: Float64Array,
  { damping, tolerance, steps }: Required<SolveOptions>,
): Promise<SolveResult> {
  const solution = new Float64Array(b.length);
  const left = Float64Array.from(b);
  const direction = Float64Array.from(b);
  const length = norm(b);
  let square = innerProduct(left, left);
  const result = (stopped: SolveResult["stopped"]): SolveResult => ({
    solution,
    residual: length === 0 ? 0 : Math.sqrt(square) / length,
    stopped,
    products: completed(),
  });
  while (Math.sqrt(square) > tolerance * length) {
    if (completed() === steps) return result("steps");
    const product = await multiply(direction);
    addMultipleInPlace(product, damping, direction);
    const curvature = innerProduct(direction, product);
    if (!(curvature > 0)) return result("negative-curvature");
    addMultipleInPlace(solution, square / curvature, direction);
    addMultipleInPlace(left, -square / curvature, product);
    const next = innerProduct(left, left);
    scaleInPlace(direction, next / square);
    addMultipleInPlace(direction, 1, left);
    square = next;
  }
  return result("converged");
}
