import type { Tensor } from "@isthmus/core";
import type { RunDescription } from "./describe-run.ts";
import type { ResolvedTrainOptions } from "./train-options.ts";
import type { EpochResult } from "./train-result.ts";
import { loadWorkStateInto, saveWorkState, type WorkKind, type WorkState } from "./work-state.ts";

/** Progress of a training: everything a state holds beside tensors. */
export interface TrainingPosition {
  /** Steps made so far. */
  readonly step: number;
  /** Sum of the losses of the batches of the current epoch. */
  readonly lossSum: number;
  /** Correct predictions of the current epoch; 0 if the loss has no notion of a correct one. */
  readonly correct: number;
  /** All predictions of the current epoch that count; 0 like `correct`. */
  readonly counted: number;
  /** Results of the finished epochs. */
  readonly epochs: readonly EpochResult[];
}

/** The position at which every training begins. */
const START: TrainingPosition = { step: 0, lossSum: 0, correct: 0, counted: 0, epochs: [] };

const TRAINING: WorkKind<TrainingPosition> = {
  what: "training",
  of: "network and optimiser",
  key: "isthmus-training",
  version: 1,
  isPosition(value): value is TrainingPosition {
    const { step, lossSum, correct, counted, epochs } = (value ?? {}) as Partial<TrainingPosition>;
    return [step, lossSum, correct, counted].every(Number.isFinite) && Array.isArray(epochs);
  },
};

/** Writes a state, which appears under its name complete or not at all. */
export async function saveState(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  state: WorkState<TrainingPosition>,
): Promise<void> {
  await saveWorkState(path, TRAINING, state, tensors);
}

/**
 * Returns the position at which a training begins. If there is a state to continue from, reads its tensors
 * into `tensors`.
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is a state of another training
 */
export async function startOf(
  { statePath }: ResolvedTrainOptions,
  run: RunDescription,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<TrainingPosition> {
  if (statePath === undefined) return START;
  return (await loadWorkStateInto(statePath, TRAINING, run, tensors)) ?? START;
}
