import { assertWholeOptions, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";

/** Plan of a federation's rounds, as plain data. Times are in milliseconds. */
export interface FederationPlan {
  /** Number of rounds, at least 1; failed rounds are counted too. */
  readonly rounds: number;
  /**
   * Smallest number of updates that a round is aggregated with, at least 1; with Poisson sampling it may be
   * 0, as a round may ask no client.
   */
  readonly quorum: number;
  /** Number of clients that must be present before a round starts; never fewer than the quorum. */
  readonly available: number;
  /**
   * Share of the present clients whose updates a round waits for, in `(0, 1]`; never fewer than the quorum.
   * With Poisson sampling, the probability of each client to be asked.
   */
  readonly fraction: number;
  /**
   * Method by which clients are chosen: a fixed number of them, or each client by itself with a probability
   * (Poisson sampling), so that their number is random. Poisson sampling costs less privacy, but no client is
   * asked in place of a lost one.
   */
  readonly sampling: "fixed-size" | "poisson";
  /**
   * Share of further clients that are asked in case some are lost, at least 0; a round does not wait for
   * them.
   */
  readonly overSelection: number;
  /** Time from the start of a round until it ends with the updates that have arrived, above 0. */
  readonly deadline: number;
  /**
   * Number of times that one round may be started until the federation fails for lack of quorum, at least 1.
   */
  readonly attempts: number;
  /**
   * Number of failed rounds in a row at which the federation fails, at least 1. A federation of fewer rounds
   * fails if all of its rounds do.
   */
  readonly failures: number;
  /** Seed of the choice of clients, a whole number of at least 0. */
  readonly seed: number;
  /** Treatment of an update of an earlier round: it is refused, or it counts in the round that is open. */
  readonly late: "refuse" | "accept";
  /** Largest number of rounds that an accepted update may be late by, at least 1. */
  readonly maximumStaleness: number;
  /**
   * Size of the buffer of an asynchronous federation, as in FedBuff (Nguyen et al., 2022, algorithm 1): all
   * clients work all the time, and as soon as so many updates have arrived they are aggregated. Late updates
   * count then. `null` for synchronous rounds.
   */
  readonly buffer: number | null;
  /**
   * Settings of a secure sum, in which the server sees no single update; `null` if the server sees each
   * update.
   */
  readonly secure: SecurePlan | null;
}

/** Settings of the secure sums of a federation, as plain data. */
export interface SecurePlan {
  /**
   * Share of a round's clients that suffices to finish the round, and that must collude to see an update:
   * above 0.5 and at most 1, rounded up, and more than half in any case.
   */
  readonly threshold: number;
  /** Elements of an update's change are cut to `[-range, range]`, above 0. */
  readonly range: number;
  /** Number of examples from which on a client counts in full, at least 1. */
  readonly examplesCap: number;
}

/** Defaults of {@link SecurePlan}. */
export const SECURE_PLAN_DEFAULTS: SecurePlan = { threshold: 2 / 3, range: 1, examplesCap: 100_000 };

/** Choices of a {@link FederationPlan}. */
export interface FederationPlanOptions extends Partial<FederationPlan> {}

/** Defaults of {@link planFederation}. */
export const FEDERATION_PLAN_DEFAULTS: FederationPlan = {
  rounds: 10,
  quorum: 2,
  available: 1,
  fraction: 1,
  sampling: "fixed-size",
  overSelection: 0,
  deadline: 3_600_000,
  attempts: 10,
  failures: 3,
  seed: 0,
  late: "refuse",
  maximumStaleness: 4,
  buffer: null,
  secure: null,
};

/**
 * Returns the plan of a federation, complete and checked.
 * @throws UsageError if an option is unknown, or two contradict each other
 * @throws OutOfRangeError if a number is outside its range
 */
export function planFederation(options?: FederationPlanOptions): FederationPlan {
  const operation = "plan a federation";
  const plan = resolveOptions(operation, FEDERATION_PLAN_DEFAULTS, options);
  assertWholeOptions(operation, plan, {
    rounds: 1,
    quorum: plan.sampling === "poisson" ? 0 : 1,
    available: 1,
    attempts: 1,
    failures: 1,
    seed: 0,
    maximumStaleness: 1,
  });
  assertRange("fraction", plan.fraction, "above 0 and at most 1", plan.fraction > 0 && plan.fraction <= 1);
  assertRange("overSelection", plan.overSelection, "at least 0", plan.overSelection >= 0);
  assertRange("deadline", plan.deadline, "above 0 milliseconds", plan.deadline > 0);
  if (plan.sampling !== "fixed-size" && plan.sampling !== "poisson") {
    throw new UsageError(
      `Cannot ${operation} as "sampling" must be "fixed-size" or "poisson": it is "${plan.sampling}"`,
    );
  }
  if (plan.sampling === "poisson" && plan.buffer !== null) {
    throw new UsageError(
      `Cannot ${operation} by Poisson sampling with "buffer" as all clients work all the time then: leave one out`,
    );
  }
  if (plan.late !== "refuse" && plan.late !== "accept") {
    throw new UsageError(`Cannot ${operation} as "late" must be "refuse" or "accept": it is "${plan.late}"`);
  }
  if (plan.buffer !== null) {
    assertWholeOptions(operation, { buffer: plan.buffer }, { buffer: 1 });
    if (plan.buffer < plan.quorum) {
      throw new UsageError(
        `Cannot ${operation} as "buffer" must be at least the quorum of ${plan.quorum}: it is ${plan.buffer}`,
      );
    }
  }
  if (plan.secure !== null) assertSecurePlan(plan, plan.secure);
  return plan;
}

function assertSecurePlan(plan: FederationPlan, { threshold, range, examplesCap }: SecurePlan): void {
  const operation = "sum updates securely";
  assertRange("secure.threshold", threshold, "above 0.5 and at most 1", threshold > 0.5 && threshold <= 1);
  assertRange("secure.range", range, "above 0", range > 0);
  assertWholeOptions(operation, { examplesCap }, { examplesCap: 1 });
  if (plan.quorum < 2) {
    throw new OutOfRangeError(
      `Cannot ${operation} with a quorum of ${plan.quorum} as the sum of one update is that update: set "quorum" to 2 or more`,
    );
  }
  if (plan.late !== "refuse" || plan.buffer !== null || plan.sampling === "poisson") {
    throw new UsageError(
      `Cannot ${operation} with late updates, "buffer" or Poisson sampling as masks cancel among the clients of one round: leave them out`,
    );
  }
}

function assertRange(name: string, value: number, rule: string, holds: boolean): void {
  if (holds && Number.isFinite(value)) return;
  throw new OutOfRangeError(`Cannot plan a federation as "${name}" must be ${rule}: it is ${value}`);
}
