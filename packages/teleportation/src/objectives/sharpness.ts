import { createRandom } from "@isthmus/core";
import { dot, type LossAt, lengthOf, openLossAt, plus } from "./loss-at.ts";
import type { ObjectiveKind } from "./objective.ts";

/** Distance in weights at which gradients are compared for products with the Hessian. */
const STEP = 1e-2;

/** Distance for third derivatives, which need more because gradients are rounded to f32. */
const FAR_STEP = 5e-2;

/** Products with the Hessian by which a measure finds its largest eigenvalue, and products of a step. */
const [MEASURED, STEPPED] = [20, 2];

/**
 * Largest eigenvalue of the Hessian of the loss, by magnitude, found by power iterations. Its derivative is
 * the one of `v^T H v` for its eigenvector `v`: the difference of gradients at three places on the line along
 * the eigenvector.
 */
export const SHARPNESS: ObjectiveKind = {
  help: "largest eigenvalue of the Hessian of the loss",
  direction: "lower",
  needsData: true,
  async open(inputs) {
    const at = await openLossAt(inputs);
    const { dimension } = at;
    const random = createRandom(inputs.options.seed, "sharpness");
    const start = Float64Array.from({ length: dimension }, () => random.normal());
    let last: Float64Array = start;
    return {
      async measure({ weights }) {
        return (await iterate(at, at.join(weights), { vector: start, times: MEASURED })).value;
      },
      async slope({ weights }) {
        const place = at.join(weights);
        const times = last === start ? MEASURED : STEPPED;
        const { value, vector } = await iterate(at, place, { vector: last, times });
        last = vector;
        const [middle, ahead, behind] = [0, 1, 2].map(() => new Float64Array(dimension)) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        await at.gradient(place, middle);
        await at.gradient(plus(place, FAR_STEP, vector), ahead);
        await at.gradient(plus(place, -FAR_STEP, vector), behind);
        const slope = ahead.map(
          (slope, i) => (slope - 2 * (middle[i] as number) + (behind[i] as number)) / FAR_STEP ** 2,
        );
        return { value, pairings: [{ gradients: at.split(slope), moved: weights, areWeights: true }] };
      },
      release: at.release,
    };
  },
};

/** Multiplies a vector by the Hessian again and again; returns its direction and its Rayleigh quotient. */
async function iterate(
  at: LossAt,
  place: Float64Array,
  { vector, times }: { readonly vector: Float64Array; readonly times: number },
): Promise<{ readonly value: number; readonly vector: Float64Array }> {
  let direction: Float64Array = unit(vector);
  let value = 0;
  const [ahead, behind] = [new Float64Array(at.dimension), new Float64Array(at.dimension)];
  for (let time = 0; time < times; time++) {
    await at.gradient(plus(place, STEP, direction), ahead);
    await at.gradient(plus(place, -STEP, direction), behind);
    const product = plus(ahead, -1, behind).map((difference) => difference / (2 * STEP));
    value = dot(direction, product);
    if (!(lengthOf(product) > 0)) break;
    direction = unit(product);
  }
  return { value, vector: direction };
}

function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector);
  return vector.map((value) => value / length);
}
