import { at, InputError, innerProduct, OutOfRangeError, resolveOptions } from "@isthmus/core";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";
import type { LinearOperator } from "./linear-operator.ts";
import { addMultipleInPlace, scaleInPlace } from "./vectors.ts";

/** Options of {@link invertOuterProducts}. */
export interface InvertOuterProductsOptions {
  /** Number that is added to the diagonal, above 0. @defaultValue 1e-3 */
  readonly damping?: number;
}

/** Defaults of {@link invertOuterProducts}. */
const INVERT_OUTER_PRODUCTS_DEFAULTS: Required<InvertOuterProductsOptions> = { damping: 1e-3 };

const ATTEMPT = "invert a mean of outer products";

/**
 * Inverts `damping I + (1 / m) sum g g'` over `m` vectors, such as gradients of batches, without iterations:
 * by Woodbury's identity a product with the inverse costs `2 m` scalar products.
 * @param vectors - at least one, all of one length; they are referred to, not copied
 * @throws OutOfRangeError if the damping is not above 0
 * @throws InputError if there is no vector, they differ in length, or one has an element that is not finite
 * @see Frantar et al., M-FAC: efficient matrix-free approximations of second-order information, 2021
 */
export function invertOuterProducts(
  vectors: readonly Float64Array[],
  options: InvertOuterProductsOptions = {},
): LinearOperator {
  const { damping } = resolveOptions(ATTEMPT, INVERT_OUTER_PRODUCTS_DEFAULTS, options);
  if (!(damping > 0 && Number.isFinite(damping))) {
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as "damping" must be above 0 and finite: it is ${damping}`);
  }
  const dimension = lengthOf(vectors);
  const count = vectors.length;
  const products = new Float64Array(count * count);
  vectors.forEach((x, i) => {
    for (let j = 0; j <= i; j++) {
      products[i * count + j] = products[j * count + i] = innerProduct(x, at(vectors, j, "vector"));
    }
  });
  const wrong = products.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) {
    throw new InputError(
      `Cannot ${ATTEMPT} as every vector must be finite: the square of vector ${Math.floor(wrong / count)} is ${products[wrong]}`,
      { input: "vectors" },
    );
  }
  const { values, vectors: turned } = symmetricEigen(createMatrix(count, count, products));
  // A Gram matrix has no negative eigenvalues: values below 0 are rounding errors.
  const divisors = Array.from(values, (value) => Math.max(0, value) + count * damping);
  return {
    dimension,
    layout: [{ name: "x", shape: [dimension], offset: 0 }],
    async apply(vector, out) {
      const parts = vectors.map((x) => innerProduct(x, vector));
      const scaled = divisors.map((divisor, k) => {
        const along = parts.reduce(
          (sum, part, i) => sum + part * at(turned.data, i * count + k, "element"),
          0,
        );
        return along / divisor;
      });
      out.set(vector);
      vectors.forEach((x, i) => {
        const factor = scaled.reduce(
          (sum, part, k) => sum + part * at(turned.data, i * count + k, "element"),
          0,
        );
        addMultipleInPlace(out, -factor, x);
      });
      scaleInPlace(out, 1 / damping);
    },
  };
}

function lengthOf(vectors: readonly Float64Array[]): number {
  const [first] = vectors;
  if (first === undefined) {
    throw new InputError(`Cannot ${ATTEMPT} as there must be a vector: there is none`, { input: "vectors" });
  }
  vectors.forEach(({ length }, i) => {
    if (length === first.length) return;
    throw new InputError(
      `Cannot ${ATTEMPT} as all vectors must be of one length: vector ${i} has ${length} elements, the first ${first.length}`,
      { input: "vectors" },
    );
  });
  return first.length;
}
