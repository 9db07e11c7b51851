import { assertWholeOptions, OutOfRangeError, resolveFields } from "@isthmus/core";
import type { LossName } from "@isthmus/graph";
import type { LossSpec, UsualLoss } from "../loss/loss-spec.ts";
import { EVOLUTION_FIELDS, type EvolutionChoice } from "./evolution-fields.ts";

/** Progress of an evolution. */
export interface EvolutionProgress {
  /** Generations made so far. */
  readonly generation: number;
  /** Generations of the whole search. */
  readonly generations: number;
  /** Mean loss of the last generation's networks on its batch. */
  readonly loss: number;
}

/** Options of `trainByEvolution`. */
export interface EvolutionOptions extends EvolutionChoice {
  /** Seed of the networks that are tried and of the order of examples: a whole number in `[0, 2^53)`. */
  readonly seed: number;
  /** Loss to minimise. @defaultValue the loss that `lossOfData` chooses */
  readonly loss?: LossSpec | UsualLoss | LossName | undefined;
  /** Elements of weights that are searched, 1 for each; other elements are zero. @defaultValue all of them */
  readonly masks?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Threads of the engine; 0 lets it choose. @defaultValue 1 */
  readonly threads?: number;
  /** File ending in `.safetensors` for the state, from which it can resume. @defaultValue none is written */
  readonly statePath?: string | undefined;
  /** Generations after which the state is written. @defaultValue 100 */
  readonly saveEvery?: number;
  /** Whether to continue from the state at `statePath`, if the file exists. @defaultValue false */
  readonly resume?: boolean;
  /**
   * Signal that stops the search between two generations, once the state is written. @defaultValue never
   * stopped
   */
  readonly signal?: AbortSignal | undefined;
  /** Called after every generation. */
  readonly onProgress?: ((progress: EvolutionProgress) => void) | undefined;
}

/** Defaults of the options that are no plain data, or that only concern how a search is run. */
const RUN_DEFAULTS: Required<Omit<EvolutionOptions, keyof EvolutionChoice>> = {
  seed: 0,
  loss: undefined,
  masks: undefined,
  threads: 1,
  statePath: undefined,
  saveEvery: 100,
  resume: false,
  signal: undefined,
  onProgress: undefined,
};

/** Most examples that a generation is compared on if no number is given. */
const USUAL_BATCH = 256;

/** Options with all defaults filled in. */
export type ResolvedEvolution = Required<EvolutionOptions> & { readonly batch: number };

/**
 * Fills in the defaults of options and checks them.
 * @param examples - number of all examples
 * @throws OutOfRangeError if a number is out of its range
 */
export function resolveEvolution(
  attempt: string,
  examples: number,
  options: EvolutionOptions,
): ResolvedEvolution {
  const resolved = resolveFields(attempt, EVOLUTION_FIELDS, options, RUN_DEFAULTS);
  const { batch = Math.min(USUAL_BATCH, examples), saveEvery } = resolved;
  if (batch > examples) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "batch" must be a whole number from 1 to the ${examples} examples: it is ${batch}`,
    );
  }
  assertWholeOptions(attempt, { saveEvery }, { saveEvery: 1 });
  return { ...resolved, batch };
}
