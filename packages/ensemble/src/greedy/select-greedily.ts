import {
  at,
  type FieldsOf,
  MismatchError,
  numberField,
  OutOfRangeError,
  resolveFields,
  sumOf,
  wholeField,
} from "@isthmus/core";
import type { ClassProbabilities } from "@isthmus/graph";
import { assertLabels } from "../predictions/prediction-quality.ts";

/** Options of {@link selectGreedily}. */
export interface SelectGreedilyOptions {
  /**
   * Largest number of networks that are chosen, at least 1.
   * @defaultValue half of the networks, rounded up
   */
  readonly members?: number | undefined;
  /** Weight of diversity, at least 0; the authors of the method call it lambda. @defaultValue 1 */
  readonly diversity?: number;
}

/** Largest number of networks in an ensemble, and of networks that are drawn for one. */
export const MOST_MEMBERS = 10_000;

/** Fields of {@link SelectGreedilyOptions}. */
export const GREEDY_FIELDS: FieldsOf<SelectGreedilyOptions> = {
  members: wholeField({
    least: 1,
    most: MOST_MEMBERS,
    keyed: "if-named",
    help: "the most networks of the greedy ensemble (default: half of them)",
  }),
  diversity: numberField({
    least: 0,
    default: 1,
    keyed: "if-named",
    help: "weight of diversity in the choice of the greedy ensemble, against the likeness of a network to the ones before",
  }),
};

/** Chosen network. */
export interface GreedyChoice {
  /** Index of the network among all networks. */
  readonly index: number;
  /** Mean negative log likelihood of the network alone, in nats. */
  readonly nll: number;
  /**
   * Likeness of the network to the networks chosen before: the term of diversity, which is smaller the more
   * they differ; 0 for the first.
   */
  readonly likeness: number;
  /**
   * Mean negative log likelihood of the ensemble of this network and all chosen before, in nats; it never
   * rises from one choice to the next.
   */
  readonly ensembleNll: number;
}

const ATTEMPT = "choose networks greedily";

/**
 * Chooses networks for an ensemble one after another by their predictions for examples that are used neither
 * for training nor for evaluation: each time the network with the least
 * `nll + log sum over j of exp(-lambda / M * d_j)`, where `d_j` is the mean squared distance of its
 * probabilities from the probabilities of the chosen network `j`, and `M` the largest number of networks to
 * choose. A network that would raise the negative log likelihood of the ensemble is passed over, and the
 * choice ends if all networks would.
 *
 * The sum is the diversity term of Tiulpin and Blaschko, who train each network by it; here it serves to
 * choose among trained networks. Ties go to the first network.
 * @param pool - probabilities of each network for the same examples
 * @returns the networks chosen, in their order, at least one
 * @throws MismatchError if predictions do not fit the labels or each other
 * @throws OutOfRangeError if an option is out of its range, or a likelihood is NaN
 * @see Tiulpin and Blaschko, Greedy Bayesian posterior approximation with deep ensembles, 2022
 */
export function selectGreedily(
  pool: readonly ClassProbabilities[],
  labels: Int32Array,
  options: SelectGreedilyOptions = {},
): GreedyChoice[] {
  const { diversity, members } = resolveFields(ATTEMPT, GREEDY_FIELDS, options);
  const limit = members ?? Math.ceil(pool.length / 2);
  assertPool(pool, labels);
  const nlls = pool.map(({ probabilities, classes }) => meanNll(probabilities, { labels, classes }));
  const { classes } = at(pool, 0, "network");
  const sum = new Float64Array(labels.length * classes);
  const chosen: GreedyChoice[] = [];
  const likeness = (index: number): number => {
    if (chosen.length === 0) return 0;
    const terms = chosen.map((other) =>
      Math.exp((-diversity / limit) * squaredDistance(at(pool, index), at(pool, other.index))),
    );
    return Math.log(sumOf(terms));
  };
  while (chosen.length < Math.min(limit, pool.length)) {
    const before = chosen.at(-1)?.ensembleNll ?? Number.POSITIVE_INFINITY;
    const candidates = pool
      .flatMap((_, index) => (chosen.some((other) => other.index === index) ? [] : [index]))
      .map((index): GreedyChoice => {
        const together = addInto(Float64Array.from(sum), at(pool, index));
        const ensembleNll = meanNll(together, { labels, classes, scale: 1 / (chosen.length + 1) });
        return { index, nll: at(nlls, index), likeness: likeness(index), ensembleNll };
      })
      .filter(({ ensembleNll }) => chosen.length === 0 || ensembleNll <= before);
    const [first, ...others] = candidates;
    if (first === undefined) break;
    const next = others.reduce((best, one) => (scoreOf(one) < scoreOf(best) ? one : best), first);
    addInto(sum, at(pool, next.index));
    chosen.push(next);
  }
  return chosen;
}

const scoreOf = ({ nll, likeness }: GreedyChoice): number => nll + likeness;

function meanNll(
  probabilities: Float64Array,
  { labels, classes, scale = 1 }: { labels: Int32Array; classes: number; scale?: number },
): number {
  let nll = 0;
  labels.forEach((label, i) => {
    nll -= Math.log((probabilities[i * classes + label] as number) * scale);
  });
  return nll / labels.length;
}

/** Computes the mean over examples of the squared distance of two rows of probabilities. */
function squaredDistance(a: ClassProbabilities, b: ClassProbabilities): number {
  let sum = 0;
  for (let i = 0; i < a.probabilities.length; i++) {
    sum += ((a.probabilities[i] as number) - (b.probabilities[i] as number)) ** 2;
  }
  return sum / (a.probabilities.length / a.classes);
}

function addInto(sum: Float64Array, { probabilities }: ClassProbabilities): Float64Array {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (probabilities[i] as number);
  return sum;
}

function assertPool(pool: readonly ClassProbabilities[], labels: Int32Array): void {
  if (pool.length === 0)
    throw new OutOfRangeError(`Cannot ${ATTEMPT} as there must be at least one: there are none`);
  const { classes } = at(pool, 0, "network");
  for (const [index, predictions] of pool.entries()) {
    if (predictions.classes !== classes) {
      throw new MismatchError(
        `Cannot ${ATTEMPT} as all must have the same classes: network ${index} has ${predictions.classes}, the first ${classes}`,
        { parameters: [] },
      );
    }
    assertLabels(predictions, labels);
    if (!predictions.probabilities.some(Number.isNaN)) continue;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as probabilities must be numbers: one of network ${index} is NaN`,
    );
  }
}
