import { type Checkpoint, excerpt, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";

/** Orders in which a curriculum adds examples. */
export const CURRICULUM_ORDERS = ["easy-first", "hard-first", "random"] as const;
/** Functions by which the number of examples of a curriculum grows. */
export const CURRICULUM_PACINGS = ["linear", "root", "step"] as const;

/**
 * A curriculum: examples are ranked by their loss, and training begins with the first of them and adds the
 * others little by little. Each batch is drawn from the examples added before its step, all of them once
 * before any again; an epoch has as many steps as without, so the first examples are seen more often. Once
 * all are added, epochs are the same as without a curriculum.
 *
 * An example that is seen several times in an epoch is changed by `augment` in the same way each time.
 * @see Vahidian et al., When do curricula work in federated learning?, 2023; pacing as in Wu, Dyer and
 *   Neyshabur, When do curricula work?, 2021
 */
export interface CurriculumOptions {
  /**
   * Order in which examples are added: by increasing loss, by decreasing loss, or at random by the seed. The
   * random order shows whether it is the ranking that helps, or having few examples.
   */
  readonly order: (typeof CURRICULUM_ORDERS)[number];
  /**
   * Function by which the share of examples grows with the share `t` of steps made, from `b`, `start`, to 1
   * at `a`, `full`: `linear`, `b + (1 - b) t / a`; `root`, `b + (1 - b) sqrt(t / a)`; or `step`, `b` until
   * `a`.
   * @defaultValue "linear"
   */
  readonly pacing?: (typeof CURRICULUM_PACINGS)[number] | undefined;
  /** Share of the examples at the start, in `(0, 1]`; at least one example. @defaultValue 0.2 */
  readonly start?: number | undefined;
  /** Share of the steps after which all examples are added, in `[0, 1]`. @defaultValue 0.8 */
  readonly full?: number | undefined;
  /**
   * Network whose losses rank the examples, such as the client's own network of the last round.
   * @defaultValue the weights that training starts from: for a client, the global network
   */
  readonly scoredBy?: Checkpoint | undefined;
}

/** Defaults of {@link CurriculumOptions}. */
export const CURRICULUM_DEFAULTS: Pacing = { pacing: "linear", start: 0.2, full: 0.8 };

/** Growth of the number of examples of a curriculum. */
export interface Pacing {
  /** Function by which the share of examples grows. */
  readonly pacing: (typeof CURRICULUM_PACINGS)[number];
  /** Share of the examples at the start, in `(0, 1]`. */
  readonly start: number;
  /** Share of the steps after which all examples are added, in `[0, 1]`. */
  readonly full: number;
}

/** A curriculum with all defaults filled in. */
export interface ResolvedCurriculum extends Pacing {
  /** Order in which examples are added. */
  readonly order: (typeof CURRICULUM_ORDERS)[number];
  /** Network whose losses rank the examples; undefined for the weights that training starts from. */
  readonly scoredBy: Checkpoint | undefined;
}

/**
 * Fills in the defaults of a curriculum and checks its options.
 * @throws UsageError if an option is unknown, or is not one of its choices, or a network is to rank
 *   examples of a random order
 * @throws OutOfRangeError if a share is out of its range
 */
export function resolveCurriculum(options: CurriculumOptions | undefined): ResolvedCurriculum | undefined {
  if (options === undefined) return undefined;
  const resolved: ResolvedCurriculum = resolveOptions<ResolvedCurriculum>(
    ATTEMPT,
    { order: "" as "random", ...CURRICULUM_DEFAULTS, scoredBy: undefined },
    options,
  );
  const { order, pacing, start, full, scoredBy } = resolved;
  assertChoice("order", order, CURRICULUM_ORDERS);
  assertChoice("pacing", pacing, CURRICULUM_PACINGS);
  assertShare("start", start, start > 0, "(0, 1]");
  assertShare("full", full, full >= 0, "[0, 1]");
  if (order !== "random" || scoredBy === undefined) return resolved;
  throw new UsageError(
    `Cannot ${ATTEMPT} as "scoredBy" names the network whose losses rank examples: the order is random; leave it out, or choose easy-first or hard-first`,
  );
}

const ATTEMPT = "train by a curriculum";

function assertChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new UsageError(
    `Cannot ${ATTEMPT} as "${name}" must be one of ${choices.join(", ")}: it is ${excerpt(value)}`,
  );
}

function assertShare(name: string, value: number, isLarge: boolean, range: string): void {
  if (isLarge && value <= 1) return;
  throw new OutOfRangeError(`Cannot ${ATTEMPT} as "${name}" must be a share in ${range}: it is ${value}`);
}

/**
 * Computes the number of examples that a curriculum has added.
 * @param progress - share of the steps made, at least 0
 * @param examples - all examples, at least 1
 * @returns a whole number in `[1, examples]`
 */
export function curriculumSize({ pacing, start, full }: Pacing, progress: number, examples: number): number {
  // After the growth nothing is divided, as the growth may take no time at all.
  const time = progress >= full ? 1 : progress / full;
  const growth = { linear: time, root: Math.sqrt(time), step: Math.floor(time) }[pacing];
  if (growth === 1) return examples;
  // 0.29 of 100 examples are 29, though their product is less by its rounding.
  return Math.max(1, Math.floor(examples * (start + (1 - start) * growth) * (1 + 1e-12)));
}
