import { assertWholeOptions, at, excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { channelScalings, type DataSet } from "@isthmus/graph";

/**
 * Attacks: `fgsm`, the fast gradient sign method, is one step of the whole size; `pgd`, projected gradient
 * descent, is several, each brought back to the allowed distance.
 */
export const ATTACK_METHODS = ["fgsm", "pgd"] as const;
/** An attack, see {@link ATTACK_METHODS}. */
export type AttackMethod = (typeof ATTACK_METHODS)[number];

/** Distances: `linf`, the largest change of a number of the example; `l2`, the Euclidean one. */
export const ATTACK_NORMS = ["linf", "l2"] as const;
/** A distance, see {@link ATTACK_NORMS}. */
export type AttackNorm = (typeof ATTACK_NORMS)[number];

/** Largest distances that attacks are usually compared at, for pixels from 0 to 1. */
export const ATTACK_EPSILONS: Readonly<Record<AttackNorm, number>> = { linf: 8 / 255, l2: 128 / 255 };

/** How examples are changed. */
export interface AttackOptions {
  /** @defaultValue "pgd" */
  readonly method?: AttackMethod;
  /** @defaultValue "linf" */
  readonly norm?: AttackNorm;
  /**
   * The largest distance from the example, at least 0: for images of bytes in pixels from 0 to 1, which
   * changed images keep to; else in the numbers of the examples. @defaultValue {@link ATTACK_EPSILONS}
   */
  readonly epsilon?: number | undefined;
  /** Steps of `pgd`, at least 1. @defaultValue 10 */
  readonly steps?: number;
  /** Size of a step of `pgd`, in the unit of `epsilon`. @defaultValue 2.5 times `epsilon` over `steps` */
  readonly stepSize?: number | undefined;
  /** Whether `pgd` starts at a random place within the distance. @defaultValue true */
  readonly randomStart?: boolean;
  /** Decides random starts, and the order of networks that attack in turn. @defaultValue 0 */
  readonly seed?: number;
}

/** Defaults of {@link AttackOptions}. */
export const ATTACK_DEFAULTS: Required<AttackOptions> = {
  method: "pgd",
  norm: "linf",
  epsilon: undefined,
  steps: 10,
  stepSize: undefined,
  randomStart: true,
  seed: 0,
};

/** An attack with all numbers filled in; sizes are in the unit of the options. */
export interface ResolvedAttack {
  readonly method: AttackMethod;
  readonly norm: AttackNorm;
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly randomStart: boolean;
  readonly seed: number;
}

/**
 * Fills in the defaults of an attack and checks its numbers.
 * @throws UsageError if an option or a choice is unknown, or one of `pgd` is given for `fgsm`
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveAttack(attempt: string, options: AttackOptions): ResolvedAttack {
  const { method, norm, randomStart, seed, ...numbers } = resolveOptions(attempt, ATTACK_DEFAULTS, options);
  assertChoice(attempt, "method", { value: method, choices: ATTACK_METHODS });
  assertChoice(attempt, "norm", { value: norm, choices: ATTACK_NORMS });
  const { epsilon = ATTACK_EPSILONS[norm] } = numbers;
  const isSingle = method === "fgsm";
  if (isSingle && (options.stepSize !== undefined || (options.steps ?? 1) !== 1)) {
    throw new UsageError(
      `Cannot ${attempt} by fgsm with "steps" or "stepSize" as it is one step of size "epsilon": leave them out, or choose pgd`,
    );
  }
  const steps = isSingle ? 1 : numbers.steps;
  assertWholeOptions(attempt, { steps, seed }, { steps: 1, seed: 0 });
  const stepSize = isSingle ? epsilon : (numbers.stepSize ?? (2.5 * epsilon) / steps);
  for (const [name, value] of Object.entries({ epsilon, stepSize })) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new OutOfRangeError(
      `Cannot ${attempt} as "${name}" must be a number of at least 0: it is ${value}`,
    );
  }
  return { method, norm, epsilon, steps, stepSize, randomStart: !isSingle && randomStart, seed };
}

function assertChoice(
  attempt: string,
  name: string,
  { value, choices }: { readonly value: string; readonly choices: readonly string[] },
): void {
  if (choices.includes(value)) return;
  throw new UsageError(
    `Cannot ${attempt} as "${name}" must be one of ${choices.join(", ")}: it is ${excerpt(value)}`,
  );
}

/**
 * Numbers that a channel of examples may have, and how steps in it compare with those in the first channel.
 */
export interface ChannelRange {
  readonly low: number;
  readonly high: number;
  /** A step in the numbers of this channel over the same step in the first channel. */
  readonly weight: number;
}

/** Numbers that examples may have, and what one unit of an attack's sizes is in them. */
export interface ExampleRange {
  /** In the numbers of the first channel. */
  readonly unit: number;
  /** All channels alike, or one entry for each. */
  readonly channels: readonly ChannelRange[];
}

/** Returns the range of a data set's numbers: of pixels as they are scaled, else all numbers. */
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
