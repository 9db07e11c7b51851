import { OutOfRangeError } from "@isthmus/core";

/**
 * Relation of two rounds that must look alike: they differ by one additional client, or by the data of one
 * client.
 */
export type NeighborRelation = "add-or-remove-one" | "replace-one";

/** Method by which the clients of a round are chosen. */
export type ClientSampling =
  /** Each client takes part with the same probability, in `[0, 1]`, by itself (Poisson sampling). */
  | {
      /** Tag of Poisson sampling. */
      readonly kind: "poisson";
      /** Probability of each client to take part, in `[0, 1]`. */
      readonly probability: number;
    }
  /** A round has `size` of `population` clients, drawn without replacement. */
  | {
      /** Tag of rounds with a fixed number of clients. */
      readonly kind: "fixed-size";
      /** Number of clients that take part. */
      readonly size: number;
      /** Number of clients among which they are drawn. */
      readonly population: number;
    }
  /** All clients take part in every round. */
  | { /** Tag of rounds with all clients. */ readonly kind: "all" };

/**
 * Privacy mechanism of a round, which reveals a sum of clipped updates of some clients, with Gaussian noise.
 */
export interface RoundMechanism {
  /** Method by which the clients of the round are chosen. */
  readonly sampling: ClientSampling;
  /**
   * Standard deviation of the noise divided by the largest change of the sum that one client can cause, at
   * least 0. With adaptive clipping, `roundNoiseMultiplier` computes it for the whole round.
   */
  readonly noiseMultiplier: number;
}

/** Largest privacy loss of all rounds together, as (epsilon, delta)-differential privacy. */
export interface PrivacyBudget {
  /** Largest epsilon, at least 0. */
  readonly epsilon: number;
  /** Probability that the guarantee does not hold, in `(0, 1)`; well below one over the number of clients. */
  readonly delta: number;
}

/**
 * Returns the relation of neighbours for which a sampling is analysed; accounts of two relations do not add
 * up.
 * @see dp-accounting, which uses the same relation for each sampling
 */
export function relationOf(sampling: ClientSampling): NeighborRelation | "either" {
  if (sampling.kind === "all") return "either";
  return sampling.kind === "poisson" ? "add-or-remove-one" : "replace-one";
}

/**
 * Returns the share of clients that take part in a round.
 * @throws OutOfRangeError if it is not in `[0, 1]`
 */
export function samplingRate(sampling: ClientSampling): number {
  if (sampling.kind === "all") return 1;
  const rate = sampling.kind === "poisson" ? sampling.probability : sampling.size / sampling.population;
  if (!(rate >= 0 && rate <= 1)) {
    throw new OutOfRangeError(
      `Cannot account for a round as the share of clients that take part must be in [0, 1]: it is ${rate}`,
    );
  }
  return rate;
}

/**
 * Checks the numbers of a mechanism.
 * @throws OutOfRangeError if one is out of its range
 */
export function assertMechanism({ sampling, noiseMultiplier }: RoundMechanism): void {
  samplingRate(sampling);
  if (!(Number.isFinite(noiseMultiplier) && noiseMultiplier >= 0)) {
    throw new OutOfRangeError(
      `Cannot account for a round as "noiseMultiplier" must be a finite number of at least 0: it is ${noiseMultiplier}`,
    );
  }
}

/**
 * Checks the numbers of a budget.
 * @throws OutOfRangeError if one is out of its range
 */
export function assertBudget({ epsilon, delta }: PrivacyBudget): void {
  if (!(epsilon >= 0)) {
    throw new OutOfRangeError(`Cannot account for rounds as "epsilon" must be at least 0: it is ${epsilon}`);
  }
  assertDelta(delta);
}

/**
 * Checks a delta.
 * @throws OutOfRangeError if it is not in `(0, 1)`
 */
export function assertDelta(delta: number): void {
  if (delta > 0 && delta < 1) return;
  throw new OutOfRangeError(
    `Cannot account for rounds as "delta" must be above 0 and below 1: it is ${delta}`,
  );
}
