import {
  at,
  createRandom,
  type FieldsOf,
  meanOf,
  numberField,
  OutOfRangeError,
  type Random,
  resolveFields,
  wholeField,
} from "@isthmus/core";
import { assertFinite, type LossSurface } from "./operators/loss-surface.ts";
import { standardErrorOf } from "./sample-statistics.ts";
import { SURFACE_RUN_DEFAULTS, SURFACE_SEED_FIELD, type SurfaceRunOptions } from "./surface-run.ts";

/** Options of {@link learningCoefficient} that are plain data. */
export interface LearningCoefficientChoice {
  /** Number of losses taken from each chain. @defaultValue 200 */
  readonly draws?: number;
  /** Number of chains, at least 2. @defaultValue 10 */
  readonly chains?: number;
  /** Number of steps of each chain before its first loss is taken. @defaultValue 100 */
  readonly burnIn?: number;
  /** Step size, which is the variance of the noise of a step. @defaultValue 1e-5 */
  readonly step?: number;
  /** Strength of the pull back to the network. @defaultValue 100 */
  readonly localization?: number;
  /**
   * Number of examples times the inverse temperature; 0 for `n / log n` of `n` examples. @defaultValue 0
   */
  readonly beta?: number;
}

/** Fields of {@link LearningCoefficientChoice}. */
export const LEARNING_COEFFICIENT_FIELDS: FieldsOf<LearningCoefficientChoice> = {
  draws: wholeField({ least: 2, flag: "draws", default: 200, help: "losses of each chain" }),
  chains: wholeField({ least: 2, flag: "chains", default: 10, help: "number of chains" }),
  burnIn: wholeField({
    least: 0,
    flag: "burn-in",
    default: 100,
    help: "steps of each chain before the first of its losses",
  }),
  step: numberField({ above: 0, flag: "step", default: 1e-5, help: "variance of the noise of a step" }),
  localization: numberField({
    least: 0,
    flag: "localization",
    default: 100,
    help: "strength of the pull back to the network",
  }),
  beta: numberField({
    rare: true,
    least: 0,
    flag: "beta",
    default: 0,
    help: "number of examples times the inverse temperature; 0 for n / log n of n examples",
  }),
};

/** Options of {@link learningCoefficient}; `onProgress` is called after every step. */
export interface LearningCoefficientOptions extends LearningCoefficientChoice, SurfaceRunOptions {}

/** An estimate of the local learning coefficient. */
export interface LearningCoefficientResult {
  /** Kind of the result, which tells it apart from results of other measurements. */
  readonly kind: "learning-coefficient";
  /** Estimate of the local learning coefficient: the mean over chains. */
  readonly coefficient: number;
  /** Standard error of the estimate over chains. */
  readonly standardError: number;
  /** Estimate of each chain; it does not depend on the number of chains. */
  readonly chains: readonly number[];
  /**
   * Rise of the estimate from the first half of all draws to the second, with its standard error over chains.
   * Chains that still climb away from the network give too small an estimate.
   */
  readonly drift: { readonly rise: number; readonly standardError: number };
  /** Estimates from the losses after each step alone, including the steps of burn-in. */
  readonly course: readonly number[];
  /** Number of examples times the inverse temperature. */
  readonly beta: number;
  /** Number of losses of each chain that count, one a step. */
  readonly draws: number;
  /** Number of steps of each chain before the first loss that counts. */
  readonly burnIn: number;
  /** Variance of the noise of a step. */
  readonly step: number;
  /** Strength of the pull back to the network. */
  readonly localization: number;
  /** Mean loss of the network itself. */
  readonly loss: number;
  /** Number of examples over which the loss is the mean. */
  readonly examples: number;
  /** Number of examples of a step. */
  readonly batchSize: number;
  /** Seed of the noise and the batches. */
  readonly seed: number;
}

const FIELDS = { ...LEARNING_COEFFICIENT_FIELDS, ...SURFACE_SEED_FIELD };
const ATTEMPT = "estimate the local learning coefficient";
const ADVICE = "take a smaller step, or a larger localization";

/**
 * Estimates the local learning coefficient of a network, `n beta (mean loss around it - its own loss)`, by
 * stochastic gradient Langevin dynamics: chains that start at the network, pulled back to it. Each step is on
 * one batch, whose loss is compared with the network's own loss on the same batch.
 *
 * The coefficient itself is invariant to every symmetry of the network. The estimate is invariant only
 * approximately, as noise and pull treat all parameters alike: compare networks after `canonicalize` of
 * `@isthmus/weight-matching`.
 * @throws OutOfRangeError if an option is out of range
 * @throws InputError if a loss is not finite
 * @see Lau et al., The local learning coefficient: a singularity-aware complexity measure, 2023
 */
export async function learningCoefficient(
  surface: LossSurface,
  options: LearningCoefficientOptions = {},
): Promise<LearningCoefficientResult> {
  const resolved = resolveFields(ATTEMPT, FIELDS, options, SURFACE_RUN_DEFAULTS);
  assertTemperature(surface, resolved);
  const { draws, chains: count, burnIn, step, localization, seed } = resolved;
  const { examples, batchSize } = surface;
  const beta = resolved.beta > 0 ? resolved.beta : examples / Math.log(examples);
  const losses = ownLosses(surface);
  const courses: number[][] = [];
  for (let chain = 0; chain < count; chain++) {
    const random = createRandom(seed, `${ATTEMPT} chain ${chain}`);
    const onStep = (made: number) => {
      resolved.signal?.throwIfAborted();
      resolved.onProgress?.((chain + made / (burnIn + draws)) / count);
    };
    courses.push(await runChain({ surface, random, losses, onStep }, { ...resolved, beta }));
  }
  const drawn = courses.map((rises) => rises.slice(burnIn));
  const chains = drawn.map((rises) => beta * meanOf(rises));
  const half = Math.floor(draws / 2);
  const drifts = drawn.map(
    (rises) => beta * (meanOf(rises.slice(draws - half)) - meanOf(rises.slice(0, half))),
  );
  return {
    kind: "learning-coefficient",
    coefficient: meanOf(chains),
    standardError: standardErrorOf(chains),
    chains,
    drift: { rise: meanOf(drifts), standardError: standardErrorOf(drifts) },
    course: Array.from(
      { length: burnIn + draws },
      (_, i) => beta * meanOf(courses.map((rises) => at(rises, i, "step"))),
    ),
    beta,
    draws,
    burnIn,
    step,
    localization,
    loss: assertFinite(ATTEMPT, await surface.lossAt(surface.place), ADVICE),
    examples,
    batchSize,
    seed,
  };
}

function assertTemperature(
  { examples }: LossSurface,
  { beta }: Pick<Required<LearningCoefficientChoice>, "beta">,
): void {
  if (examples >= 2 || beta > 0) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} from ${examples} example as there must be at least 2 to choose a temperature by: take more examples, or pass "beta"`,
  );
}

/** Returns a function that computes the loss of the network itself on a batch, once for each batch. */
function ownLosses(surface: LossSurface): (batch: number) => Promise<number> {
  const losses = new Map<number, Promise<number>>();
  return (batch) => {
    const loss = losses.get(batch) ?? surface.lossAt(surface.place, batch);
    losses.set(batch, loss);
    return loss;
  };
}

interface Chain {
  readonly surface: LossSurface;
  readonly random: Random;
  readonly losses: (batch: number) => Promise<number>;
  readonly onStep: (made: number) => void;
}

/** Runs one chain, and returns by how much the loss after each step is above the network's own. */
async function runChain(
  { surface, random, losses, onStep }: Chain,
  { step, localization, beta, draws, burnIn }: Required<LearningCoefficientOptions>,
): Promise<number[]> {
  const { place: center, examples, batchSize } = surface;
  const place = Float64Array.from(center);
  const gradient = new Float64Array(surface.dimension);
  // An example is drawn, and its batch is taken, so that a smaller last batch is less likely in proportion.
  const drawBatch = () => Math.floor(random.integer(examples) / batchSize);
  const [pull, spread] = [step / 2, Math.sqrt(step)];
  await surface.gradientAt(place, gradient, drawBatch());
  const rises: number[] = [];
  for (let i = 0; i < burnIn + draws; i++) {
    for (let j = 0; j < place.length; j++) {
      const x = place[j] as number;
      const force = beta * (gradient[j] as number) + localization * (x - (center[j] as number));
      place[j] = x - pull * force + spread * random.normal();
    }
    const batch = drawBatch();
    const loss = assertFinite(ATTEMPT, await surface.gradientAt(place, gradient, batch), ADVICE);
    rises.push(loss - (await losses(batch)));
    onStep(i + 1);
  }
  return rises;
}
