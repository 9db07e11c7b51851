import { OutOfRangeError, resolveOptions } from "@isthmus/core";

/**
 * Wasserstein-robust steps: each example `x0` is first moved to an input of larger loss, by steps of ascent
 * on `loss(x) - gamma |x - x0|²`, and the weights' step is then made on the moved examples. The network
 * becomes robust against data whose distribution lies near that of the examples; a smaller `gamma` allows
 * larger distances.
 *
 * The loss of an example is its part of the batch's mean, times the batch. Dropout drops the same in every
 * ascent; batch norms take the statistics of the moved batch, and update their running statistics by the
 * examples in their last places. Training reports losses and accuracies of the moved examples, without the
 * penalty.
 *
 * The authors' code (dual-grp/WAFL) has `gamma / 2` in place of our `gamma`, and ends ascents early if the
 * gradients of a whole batch are small.
 *
 * Each step of ascent costs as much as one more training step, for gradients by the examples.
 * @see Nguyen et al., On the generalization of Wasserstein robust federated learning (WAFL), 2022, algorithm
 *   1; Sinha et al., Certifying some distributional robustness with principled adversarial training, 2018
 */
export interface WassersteinOptions {
  /** Penalty of the squared distance, more than 0; Infinity trains without moves, to the same bytes. */
  readonly gamma: number;
  /** Steps of ascent, at least 1. @defaultValue 10, as in the authors' code */
  readonly steps?: number | undefined;
  /**
   * Length of a step of ascent, in `(0, 1 / gamma)`: from `1 / gamma` on, the penalty alone would throw
   * examples ever farther. null chooses `1 / (2 gamma)`, by which an example moves straight to
   * `x0 + gradient / (2 gamma)`: the best fixed length for a loss whose curvature is bounded by less than
   * `2 gamma`. @defaultValue null
   */
  readonly stepSize?: number | null | undefined;
}

/** Defaults of {@link WassersteinOptions}. */
export const WASSERSTEIN_DEFAULTS: {
  readonly steps: number;
  readonly stepSize: number | null;
} = { steps: 10, stepSize: null };

/** Options with all defaults filled in. */
export interface ResolvedWasserstein {
  /** Penalty of the squared distance, more than 0 and finite. */
  readonly gamma: number;
  /** Steps of ascent, at least 1. */
  readonly steps: number;
  /** Length of a step of ascent, in `(0, 1 / gamma)`. */
  readonly stepSize: number;
}

/**
 * Fills in the defaults of Wasserstein-robust steps and checks their ranges.
 * @returns the options; undefined if they move no example
 * @throws OutOfRangeError if a number is out of its range
 * @throws UsageError if an option is unknown
 */
export function resolveWasserstein(options: WassersteinOptions | undefined): ResolvedWasserstein | undefined {
  if (options === undefined) return undefined;
  const resolved = resolveOptions(ATTEMPT, { gamma: Number.NaN, ...WASSERSTEIN_DEFAULTS }, options);
  const { gamma, steps } = resolved;
  assertRange("gamma", gamma, gamma > 0, "more than 0");
  assertRange("steps", steps, Number.isSafeInteger(steps) && steps >= 1, "a whole number of at least 1");
  if (gamma === Number.POSITIVE_INFINITY) return undefined;
  const stepSize = resolved.stepSize ?? 1 / (2 * gamma);
  const isStable = stepSize > 0 && stepSize * gamma < 1;
  assertRange("stepSize", stepSize, isStable, `more than 0 and less than 1 / gamma = ${1 / gamma}`);
  return { gamma, steps, stepSize };
}

const ATTEMPT = "train by Wasserstein-robust steps";

function assertRange(name: string, value: number, isInRange: boolean, rule: string): void {
  if (isInRange) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${name}" must be ${rule}: it is ${value}`);
}
