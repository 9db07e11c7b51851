import { at } from "@isthmus/core";
import { type Eigenpair, hessian, topEigenpairs } from "@isthmus/curvature";
import type { Doubles } from "../element.ts";
import { withValues } from "../with-values.ts";
import { dot, examplesOf, type LossAt, lengthOf, openLossAt, plus } from "./loss-at.ts";
import type { ObjectiveKind } from "./objective.ts";

/** Distance in weights at which gradients are compared for products with the Hessian between steps. */
const STEP = 1e-2;

/** Distance for third derivatives, which need more because gradients are rounded to f32. */
const FAR_STEP = 5e-2;

/** Most products with the Hessian by which an eigenvalue is measured, and products before each step. */
const [MEASURED, STEPPED] = [30, 2];

/** Residual of a measured eigenvalue, relative to it. */
const TOLERANCE = 1e-3;

/**
 * Largest eigenvalue of the Hessian of the loss, measured by Lanczos' method with exact products if the graph
 * has second derivatives. Steps follow its eigenvector by power iterations with differences of gradients. Its
 * derivative is the one of `v^T H v` for its eigenvector `v`: the difference of gradients at three places on
 * the line along the eigenvector.
 */
export const SHARPNESS: ObjectiveKind = {
  subject: "largest eigenvalue of the Hessian of the loss",
  direction: "lower",
  needsData: true,
  async open(inputs) {
    const lossAt = await openLossAt(inputs);
    const { dimension } = lossAt;
    const { seed, signal, examples, batchSize } = inputs.options;
    const measured = async (weights: Doubles) => {
      const network = await withValues(inputs.network, weights);
      const measuring = { examples, batchSize, signal };
      const operator = await hessian(inputs.architecture, network, examplesOf(inputs), measuring);
      try {
        const options = { count: 1, steps: MEASURED, tolerance: TOLERANCE, seed, signal };
        return at((await topEigenpairs(operator, options)).largest, 0, "eigenvalue");
      } finally {
        await operator.release();
      }
    };
    let followed: Float64Array | undefined;
    return {
      measure: async ({ weights }) => (await measured(weights)).value,
      async slope({ weights }) {
        const place = lossAt.join(weights);
        const { value, vector } =
          followed === undefined ? await measured(weights) : await follow(lossAt, place, followed);
        followed = vector;
        const middle = new Float64Array(dimension);
        const ahead = new Float64Array(dimension);
        const behind = new Float64Array(dimension);
        await lossAt.gradient(place, middle);
        await lossAt.gradient(plus(place, FAR_STEP, vector), ahead);
        await lossAt.gradient(plus(place, -FAR_STEP, vector), behind);
        const slope = ahead.map(
          (one, i) => (one - 2 * (middle[i] as number) + (behind[i] as number)) / FAR_STEP ** 2,
        );
        return { value, pairings: [{ gradients: lossAt.split(slope), moved: weights, areWeights: true }] };
      },
      release: lossAt.release,
    };
  },
};

/** Returns the product of the Hessian at a place with a vector, by differences of gradients. */
function productAt(lossAt: LossAt, place: Float64Array) {
  return async (vector: Float64Array, out: Float64Array): Promise<void> => {
    const length = lengthOf(vector);
    const behind = new Float64Array(out.length);
    await lossAt.gradient(plus(place, STEP / length, vector), out);
    await lossAt.gradient(plus(place, -STEP / length, vector), behind);
    for (let i = 0; i < out.length; i++) {
      out[i] = (((out[i] as number) - (behind[i] as number)) * length) / (2 * STEP);
    }
  };
}

/** Follows an eigenvector to another place, where a few products bring it near the one there. */
async function follow(
  lossAt: LossAt,
  place: Float64Array,
  vector: Float64Array,
): Promise<Pick<Eigenpair, "value" | "vector">> {
  const multiply = productAt(lossAt, place);
  let direction = vector;
  let value = 0;
  for (let time = 0; time < STEPPED; time++) {
    const product = new Float64Array(lossAt.dimension);
    await multiply(direction, product);
    value = dot(direction, product);
    const length = lengthOf(product);
    if (!(length > 0)) break;
    direction = product.map((component) => component / length);
  }
  return { value, vector: direction };
}
