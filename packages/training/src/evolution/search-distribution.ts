import { createRandom } from "@isthmus/core";

/**
 * A normal distribution of each of some numbers, and Adam's moments for its means; all `[numbers]`, changed
 * in place.
 */
export interface SearchDistribution {
  /** Means of the numbers. */
  readonly mean: Float32Array;
  /** Logarithms of the standard deviations. */
  readonly logDeviation: Float32Array;
  /** Adam's running means of the gradients. */
  readonly first: Float32Array;
  /** Adam's running means of the squared gradients. */
  readonly second: Float32Array;
}

/** Rates of one step of a distribution. */
export interface SearchRates {
  /** Rate of Adam for the means. */
  readonly learningRate: number;
  /** Rate of the logarithms of the deviations; with 0 they do not change. */
  readonly deviationRate: number;
  /** Number of the step, from 1. */
  readonly step: number;
}

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Writes the standard normal numbers of a generation into `out` `[pairs * numbers]`. */
export function drawNoiseInto(seed: number, generation: number, out: Float32Array): void {
  const random = createRandom(seed, `generation ${generation}`);
  // Both numbers of a Box-Muller pair are used, as drawing them is a third of the work of small networks.
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
  }
}

/** Writes `mean + sign * deviation * noise` into `out` `[numbers]`. */
export function sampleInto(
  { mean, deviation }: { readonly mean: Float32Array; readonly deviation: Float32Array },
  { noise, sign }: { readonly noise: Float32Array; readonly sign: 1 | -1 },
  out: Float32Array,
): void {
  for (let i = 0; i < out.length; i++) out[i] = at(mean, i) + sign * at(deviation, i) * at(noise, i);
}

/**
 * Ranks losses: 0.5 for the least, -0.5 for the greatest, evenly between; equal ones share the mean of their
 * ranks, and NaN counts as the greatest.
 */
export function centeredRanks(losses: Float64Array): Float64Array {
  const value = (index: number) => {
    const loss = at(losses, index);
    return Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss;
  };
  const order = [...losses.keys()].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
  const ranks = new Float64Array(losses.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (end < order.length && value(at(order, end)) === value(at(order, begin))) end++;
    const rank = 0.5 - (begin + end - 1) / 2 / Math.max(1, order.length - 1);
    for (const index of order.slice(begin, end)) ranks[index] = rank;
    begin = end;
  }
  return ranks;
}

/**
 * Moves a distribution toward the networks of low loss: its means by Adam along the estimated gradient, the
 * logarithms of its deviations along their natural gradient.
 *
 * @param noise - `[pairs * numbers]`
 * @param ranks - ranks of the networks `mean + deviation * noise` of all pairs, then of their mirror images
 */
export function moveInPlace(
  distribution: SearchDistribution,
  noise: Float32Array,
  ranks: Float64Array,
  { learningRate, deviationRate, step }: SearchRates,
): void {
  const { mean, logDeviation, first, second } = distribution;
  const numbers = mean.length;
  const pairs = ranks.length / 2;
  const differences = Float64Array.from({ length: pairs }, (_, k) => at(ranks, k) - at(ranks, pairs + k));
  const sums = Float64Array.from({ length: pairs }, (_, k) => at(ranks, k) + at(ranks, pairs + k));
  const slopes = new Float64Array(numbers);
  const spreads = new Float64Array(numbers);
  for (let k = 0; k < pairs; k++) {
    const [difference, sum, begin] = [at(differences, k), at(sums, k), k * numbers];
    for (let i = 0; i < numbers; i++) {
      const drawn = at(noise, begin + i);
      slopes[i] = at(slopes, i) + difference * drawn;
      spreads[i] = at(spreads, i) + sum * (drawn * drawn - 1);
    }
  }
  const corrections = [1 - ADAM.beta1 ** step, 1 - ADAM.beta2 ** step] as const;
  for (let i = 0; i < numbers; i++) {
    const gradient = -at(slopes, i) / (2 * pairs * Math.exp(at(logDeviation, i)));
    first[i] = ADAM.beta1 * at(first, i) + (1 - ADAM.beta1) * gradient;
    second[i] = ADAM.beta2 * at(second, i) + (1 - ADAM.beta2) * gradient * gradient;
    const root = Math.sqrt(at(second, i) / corrections[1]) + ADAM.epsilon;
    mean[i] = at(mean, i) - (learningRate * at(first, i)) / corrections[0] / root;
    logDeviation[i] = at(logDeviation, i) + (deviationRate * at(spreads, i)) / (2 * pairs);
  }
}

const at = (values: ArrayLike<number>, index: number): number => values[index] as number;
