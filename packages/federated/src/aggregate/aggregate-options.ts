import type { Checkpoint } from "@isthmus/core";
import type { GivenParameters, ParameterSpecs, ScaleOf } from "@isthmus/merging";
import type { Treatment } from "../layers/treatment.ts";
import type { PreAggregation } from "../pre-aggregation/pre-aggregation.ts";
import type { PrivacyDescription, PrivacyState } from "../privacy/privacy-description.ts";
import type { Seed } from "../random/derive-key.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import { fedavg } from "../rules/fedavg.ts";
import { average } from "../server-step/average.ts";
import type { ServerStep } from "../server-step/server-step.ts";

/** A rule, a step before it or an optimiser of the server, with values of its parameters. */
export interface Configured<T> {
  /** Entry of the registry: the rule, step or optimiser itself. */
  readonly of: T;
  /** Values of the parameters, by name. @defaultValue the default of each parameter */
  readonly parameters?: GivenParameters<ParameterSpecs> | undefined;
}

/** Function that adds noise to a range of the aggregated change, in place. */
export type AddNoise = (tensor: string, begin: number, change: Float64Array) => void;

/** Options of {@link aggregateUpdates}. */
export interface AggregateOptions {
  /** The rule that makes one change of all updates. @defaultValue `fedavg` */
  readonly rule?: Configured<AggregationRule>;
  /** Steps before the rule, in order. @defaultValue none */
  readonly preAggregations?: readonly Configured<PreAggregation>[];
  /** The server's optimiser. @defaultValue `average` with a learning rate of 1 */
  readonly server?: Configured<ServerStep>;
  /** Treatment of tensors by name. @defaultValue floats are shared, and integers are kept */
  readonly treatments?: ReadonlyMap<string, Treatment> | undefined;
  /**
   * Largest norm of a client's displacement; longer displacements are shortened to it before all other steps.
   * @defaultValue no limit
   */
  readonly clip?: number | undefined;
  /** Function that adds noise to the aggregate, for privacy. @defaultValue no noise */
  readonly noise?: AddNoise | undefined;
  /**
   * Differential privacy: updates are clipped, noise is added to their mean, and the privacy loss is
   * accounted for. It takes the place of the rule, unless clients add the noise.
   * @defaultValue no privacy
   */
  readonly privacy?: PrivacyDescription | undefined;
  /**
   * Privacy state after the round before: `privacy.next` of its report. @defaultValue the state before the
   * first round
   */
  readonly privacyState?: PrivacyState | undefined;
  /** Seed of the noise, for studies that must repeat. @defaultValue a secret of the operating system */
  readonly noiseSeed?: Seed | undefined;
  /** State that the round before returned; none in the first round. */
  readonly state?: Checkpoint | undefined;
  /**
   * Scale of the products of adapters, by module and rank; a tensor `alpha` beside factors takes precedence.
   * @defaultValue 1, while all ranks are equal
   */
  readonly scaleOf?: ScaleOf | undefined;
  /** Number of the round, from 1. @defaultValue 1 */
  readonly round?: number;
  /** Seed of steps that draw random numbers, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /** Largest number of bytes that are held at once, beside the result. @defaultValue 16 MiB */
  readonly memory?: number;
  /** Signal that stops the work between two ranges. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called after each range. */
  readonly onProgress?: ((progress: AggregateProgress) => void) | undefined;
}

/** Progress of an aggregation. */
export interface AggregateProgress {
  /**
   * Part of the work under way: `survey` measures norms and products of updates, `aggregate` combines
   * elements.
   */
  readonly phase: "survey" | "aggregate";
  /** Share of the elements that are done in this phase, in `[0, 1]`. */
  readonly done: number;
}

/** Defaults of {@link aggregateUpdates}. */
export const AGGREGATE_DEFAULTS: Required<AggregateOptions> = {
  rule: { of: fedavg },
  preAggregations: [],
  server: { of: average as unknown as ServerStep },
  treatments: undefined,
  clip: undefined,
  noise: undefined,
  privacy: undefined,
  privacyState: undefined,
  noiseSeed: undefined,
  state: undefined,
  scaleOf: undefined,
  round: 1,
  seed: 0,
  memory: 16 * 2 ** 20,
  signal: undefined,
  onProgress: undefined,
};
