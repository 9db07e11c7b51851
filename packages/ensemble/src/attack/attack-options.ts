import {
  at,
  choiceField,
  type FieldsOf,
  flagField,
  numberField,
  type ResolvedOf,
  seedField,
  UsageError,
  wholeField,
} from "@isthmus/core";
import { channelScalings, type DataSet } from "@isthmus/graph";

/**
 * Attacks: `fgsm`, the fast gradient sign method, takes one step of the whole size; `pgd`, projected gradient
 * descent, takes several steps, and brings the example back to the allowed distance after each.
 */
export const ATTACK_METHODS = ["fgsm", "pgd"] as const;
/** An attack, see {@link ATTACK_METHODS}. */
export type AttackMethod = (typeof ATTACK_METHODS)[number];

/** Distances: `linf`, the largest change of a number of the example; `l2`, the Euclidean distance. */
export const ATTACK_NORMS = ["linf", "l2"] as const;
/** A distance, see {@link ATTACK_NORMS}. */
export type AttackNorm = (typeof ATTACK_NORMS)[number];

/** Largest distances at which attacks are usually compared, for pixels from 0 to 1. */
const ATTACK_EPSILONS: Readonly<Record<AttackNorm, number>> = { linf: 8 / 255, l2: 128 / 255 };

/** Options of an attack. */
export interface AttackOptions {
  /** Attack. @defaultValue "pgd" */
  readonly method?: AttackMethod;
  /** Distance by which changes are limited. @defaultValue "linf" */
  readonly norm?: AttackNorm;
  /**
   * Largest distance from the original example, at least 0. For images of bytes, its unit is that of pixels
   * from 0 to 1, and changed pixels stay within that range; for other examples, its unit is that of their
   * numbers.
   * @defaultValue {@link ATTACK_EPSILONS}
   */
  readonly epsilon?: number | undefined;
  /** Number of steps of `pgd`, at least 1. @defaultValue 10 */
  readonly steps?: number | undefined;
  /** Size of a step of `pgd`, in the unit of `epsilon`. @defaultValue 2.5 times `epsilon` over `steps` */
  readonly stepSize?: number | undefined;
  /** Whether `pgd` starts at a random place within the largest distance. @defaultValue true */
  readonly randomStart?: boolean;
  /** Seed of random starts, and of the order of networks that attack in turn. @defaultValue 0 */
  readonly seed?: number;
}

/** Largest number of steps of an attack: more would run for years. */
const MOST_STEPS = 1_000_000;
/** Default number of steps of `pgd`. */
const PGD_STEPS = 10;

const usual = ATTACK_NORMS.map((norm) => `${norm} ${ATTACK_EPSILONS[norm].toPrecision(3)}`).join(", ");

/** Fields of {@link AttackOptions}. */
export const ATTACK_FIELDS: FieldsOf<AttackOptions> = {
  method: choiceField<AttackMethod>(ATTACK_METHODS, {
    placeholder: "<name>",
    default: "pgd",
    help: "fgsm: one step; pgd: several, brought back to the distance",
  }),
  norm: choiceField<AttackNorm>(ATTACK_NORMS, {
    placeholder: "<name>",
    default: "linf",
    keyed: "if-named",
    help: "distance: the largest change of a number, or the Euclidean one",
  }),
  epsilon: numberField({
    flag: "eps",
    least: 0,
    keyed: "if-named",
    help: `largest distance; for images of bytes in pixels from 0 to 1 (default: ${usual})`,
  }),
  steps: wholeField({
    least: 1,
    most: MOST_STEPS,
    keyed: "if-named",
    help: `steps of pgd (default: ${PGD_STEPS})`,
  }),
  stepSize: numberField({
    least: 0,
    keyed: "if-named",
    help: "size of a step of pgd (default: 2.5 times the distance over the steps)",
  }),
  randomStart: flagField({
    default: true,
    keyed: "if-named",
    help: "start pgd at a random place within the distance",
  }),
  seed: seedField("seed of random starts, and of the order of networks in turn"),
};

/** Attack with all numbers filled in; sizes are in the unit of the options. */
export interface ResolvedAttack {
  /** Method of the attack. */
  readonly method: AttackMethod;
  /** Distance by which changes are limited. */
  readonly norm: AttackNorm;
  /** Largest distance from the original example, at least 0. */
  readonly epsilon: number;
  /** Number of steps; 1 for `fgsm`. */
  readonly steps: number;
  /** Size of a step. */
  readonly stepSize: number;
  /** Whether the attack starts at a random place within the largest distance; false for `fgsm`. */
  readonly randomStart: boolean;
  /** Seed of random starts, and of the order of networks that attack in turn. */
  readonly seed: number;
}

/**
 * Fills in the numbers of an attack that depend on others.
 * @throws UsageError if an option of `pgd` is given for `fgsm`
 */
export function completeAttack(attempt: string, options: ResolvedOf<AttackOptions>): ResolvedAttack {
  const { method, norm, randomStart, seed } = options;
  const { epsilon = ATTACK_EPSILONS[norm] } = options;
  if (method === "fgsm") {
    if (options.stepSize === undefined && (options.steps ?? 1) === 1)
      return { method, norm, epsilon, steps: 1, stepSize: epsilon, randomStart: false, seed };
    throw new UsageError(
      `Cannot ${attempt} by fgsm with "steps" or "stepSize" as it is one step of size "epsilon": leave them out, or choose pgd`,
    );
  }
  const { steps = PGD_STEPS, stepSize = (2.5 * epsilon) / steps } = options;
  return { method, norm, epsilon, steps, stepSize, randomStart, seed };
}

/**
 * Range of the numbers of a channel of examples, and the ratio of steps in it to steps in the first channel.
 */
export interface ChannelRange {
  /** Smallest number that an example may have in this channel; minus infinity without a bound. */
  readonly low: number;
  /** Largest number that an example may have in this channel; infinity without a bound. */
  readonly high: number;
  /** Ratio of a step in the numbers of this channel to the same step in the first channel. */
  readonly weight: number;
}

/** Range of the numbers of examples, and the unit of an attack's sizes in these numbers. */
export interface ExampleRange {
  /** Unit of an attack's sizes, in the numbers of the first channel. */
  readonly unit: number;
  /** Ranges of the channels: one entry for each, or one entry for all. */
  readonly channels: readonly ChannelRange[];
}

/**
 * Returns the range of a data set's numbers: that of scaled pixels, or all numbers if the data set has no
 * scaling.
 */
export function rangeOf({ scaling }: Pick<DataSet, "scaling">): ExampleRange {
  if (scaling === undefined) {
    return {
      unit: 1,
      channels: [{ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, weight: 1 }],
    };
  }
  const scalings = channelScalings(scaling);
  const first = at(scalings, 0, "channel").std;
  const channels = scalings.map(({ mean, std }) => ({
    low: (0 - mean) / std,
    high: (1 - mean) / std,
    weight: first / std,
  }));
  return { unit: 1 / first, channels };
}
