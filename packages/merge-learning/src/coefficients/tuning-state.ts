import type { Tensor } from "@isthmus/core";
import { openWorkKeeper, type RunDescription, type WorkKind } from "@isthmus/training";

/** Progress of a tuning: everything a state holds beside tensors. */
export interface TuningPosition {
  /** Steps made so far. */
  readonly step: number;
  /** Objective of each step, the mean over data sets. */
  readonly losses: readonly number[];
}

const TUNING: WorkKind<TuningPosition> = {
  what: "tuning a merge",
  of: "recipe and parts with weights",
  key: "isthmus-tune-merge",
  version: 1,
  isPosition(value): value is TuningPosition {
    const { step, losses } = (value ?? {}) as Partial<TuningPosition>;
    return (
      Number.isSafeInteger(step) &&
      Array.isArray(losses) &&
      losses.length === step &&
      losses.every((loss) => Number.isFinite(loss))
    );
  },
};

/** Milliseconds after which a state is written again; the first is written after the first step. */
const EVERY = 500;

/** The weights that are learned, and the running means of Adam, `[groups, models]` each. */
export interface TuningTensors {
  /** Weights of the networks. */
  readonly weights: Float64Array;
  /** Decayed mean of the gradients. */
  readonly mean: Float64Array;
  /** Decayed mean of the squares of the gradients. */
  readonly square: Float64Array;
}

/** File that keeps the state of a tuning. */
export interface TuningStore {
  /** Position from which the tuning goes on. */
  readonly start: TuningPosition;
  /** Writes the state if the last time is half a second ago, or at once. */
  keep(position: TuningPosition, atOnce: boolean): Promise<void>;
}

/**
 * Opens the state of a tuning, and reads it into the tensors if it is to be resumed.
 * @throws InputError if there is a file, and it must not be resumed
 * @throws FormatError if the file is not a state
 * @throws MismatchError if it is a state of another tuning
 */
export async function openTuningStore(
  path: string | undefined,
  {
    resume,
    run,
    groups,
  }: { readonly resume: boolean; readonly run: RunDescription; readonly groups: number },
  arrays: TuningTensors,
): Promise<TuningStore> {
  const shape = [groups, arrays.weights.length / groups];
  const tensors = new Map(
    Object.entries(arrays).map(([name, data]): [string, Tensor] => [name, { dtype: "f64", shape, data }]),
  );
  const describe = async () => run;
  const keeper = await openWorkKeeper("tune a merge", TUNING, tensors, { path, resume, describe });
  let last = Number.NEGATIVE_INFINITY;
  return {
    start: (await keeper.begin()) ?? { step: 0, losses: [] },
    async keep(position, atOnce) {
      if (!atOnce && performance.now() - last < EVERY) return;
      await keeper.save(position);
      last = performance.now();
    },
  };
}
