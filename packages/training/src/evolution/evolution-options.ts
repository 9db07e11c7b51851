import { OutOfRangeError, resolveOptions } from "@isthmus/core";
import type { LossName } from "@isthmus/graph";
import type { LossSpec, UsualLoss } from "../loss/loss-spec.ts";

/** How far an evolution has got. */
export interface EvolutionProgress {
  /** Generations made so far. */
  readonly generation: number;
  readonly generations: number;
  /** Mean loss of the last generation's networks on its batch. */
  readonly loss: number;
}

/** Options of `trainByEvolution`. */
export interface EvolutionOptions {
  /** Decides the networks that are tried and the order of examples: a whole number in `[0, 2^53)`. */
  readonly seed: number;
  /** Times that a population is drawn and compared. @defaultValue 500 */
  readonly generations?: number;
  /** Networks of a generation, an even number of at least 2: each has a mirror image. @defaultValue 64 */
  readonly population?: number;
  /**
   * Examples that the networks of a generation are compared on.
   * @defaultValue 256, or all if there are fewer
   */
  readonly batch?: number | undefined;
  /** Standard deviation of every weight at the start, above 0. @defaultValue 0.05 */
  readonly deviation?: number;
  /** Rate of Adam for the means, falling to 0 along half a cosine. @defaultValue 0.01 */
  readonly learningRate?: number;
  /** Rate of the logarithms of the deviations; 0 leaves them as they are. @defaultValue 0.1 */
  readonly deviationRate?: number;
  /** @defaultValue the loss that `lossOfData` chooses */
  readonly loss?: LossSpec | UsualLoss | LossName | undefined;
  /** Which elements of weights are searched, 1 for each; others are zero. @defaultValue all of them */
  readonly masks?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Threads of the engine; 0 lets it choose. @defaultValue 1 */
  readonly threads?: number;
  /** File ending in `.safetensors` for the state, from which it can resume. @defaultValue none is written */
  readonly statePath?: string | undefined;
  /** Generations after which the state is written. @defaultValue 100 */
  readonly saveEvery?: number;
  /** Whether to go on from the state at `statePath`, if the file exists. @defaultValue false */
  readonly resume?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called after every generation. */
  readonly onProgress?: ((progress: EvolutionProgress) => void) | undefined;
}

/** Defaults of {@link EvolutionOptions}; there is none for the seed. */
export const EVOLUTION_DEFAULTS: Required<Omit<EvolutionOptions, "seed">> = {
  generations: 500,
  population: 64,
  batch: undefined,
  deviation: 0.05,
  learningRate: 0.01,
  deviationRate: 0.1,
  loss: undefined,
  masks: undefined,
  threads: 1,
  statePath: undefined,
  saveEvery: 100,
  resume: false,
  signal: undefined,
  onProgress: undefined,
};

/** Most examples that a generation is compared on where none are named. */
const USUAL_BATCH = 256;

/** Options with all defaults filled in. */
export type ResolvedEvolution = Required<EvolutionOptions> & { readonly batch: number };

/**
 * Fills in the defaults of options and checks them.
 * @param examples - number of examples there are
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveEvolution(
  attempt: string,
  examples: number,
  options: EvolutionOptions,
): ResolvedEvolution {
  const resolved = resolveOptions(attempt, { ...EVOLUTION_DEFAULTS, seed: 0 }, options);
  const { generations, population, deviation, learningRate, deviationRate, saveEvery } = resolved;
  const batch = resolved.batch ?? Math.min(USUAL_BATCH, examples);
  const rules: readonly (readonly [name: string, value: number, isRight: boolean, rule: string])[] = [
    ["generations", generations, isWhole(generations, 0), "a whole number from 0"],
    [
      "population",
      population,
      isWhole(population, 2) && population % 2 === 0,
      "an even whole number from 2, as networks come in pairs",
    ],
    [
      "batch",
      batch,
      isWhole(batch, 1) && batch <= examples,
      `a whole number from 1 to the ${examples} examples`,
    ],
    ["deviation", deviation, deviation > 0 && Number.isFinite(deviation), "a number above 0"],
    ["learningRate", learningRate, learningRate > 0 && Number.isFinite(learningRate), "a number above 0"],
    ["deviationRate", deviationRate, deviationRate >= 0 && Number.isFinite(deviationRate), "a number from 0"],
    ["saveEvery", saveEvery, isWhole(saveEvery, 1), "a whole number from 1"],
  ];
  for (const [name, value, isRight, rule] of rules) {
    if (isRight) continue;
    throw new OutOfRangeError(`Cannot ${attempt} as "${name}" must be ${rule}: it is ${value}`);
  }
  return { ...resolved, batch };
}

const isWhole = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
