import { lengthOf, openLossAt, plus } from "./loss-at.ts";
import type { ObjectiveKind } from "./objective.ts";

/** Distance in weights to both sides at which gradients are compared, which are computed in f32. */
const STEP = 1e-2;

/**
 * Norm of the gradient of the loss. The derivative of its logarithm is `H g / |g|^2`, where the product with
 * the Hessian is the difference of gradients at two places.
 */
export const GRADIENT_NORM: ObjectiveKind = {
  subject: "norm of the gradient of the loss",
  direction: "raise",
  needsData: true,
  async open(inputs) {
    const at = await openLossAt(inputs);
    const { dimension } = at;
    return {
      async measure({ weights }) {
        const gradient = new Float64Array(dimension);
        await at.gradient(at.join(weights), gradient);
        return lengthOf(gradient);
      },
      async slope({ weights }) {
        const place = at.join(weights);
        const gradient = new Float64Array(dimension);
        const ahead = new Float64Array(dimension);
        const behind = new Float64Array(dimension);
        await at.gradient(place, gradient);
        const value = lengthOf(gradient);
        if (value === 0) return { value, pairings: [] };
        const reach = STEP / value;
        await at.gradient(plus(place, reach, gradient), ahead);
        await at.gradient(plus(place, -reach, gradient), behind);
        const slope = plus(ahead, -1, behind).map((difference) => difference / (2 * reach * value * value));
        return { value, pairings: [{ gradients: at.split(slope), moved: weights, areWeights: true }] };
      },
      release: at.release,
    };
  },
};
