import type { Tensor } from "@isthmus/core";
import {
  assertNoWorkState,
  loadWorkStateInto,
  type RunDescription,
  saveWorkState,
  type WorkKind,
} from "@isthmus/training";
import type { TunedEpoch } from "./tune-result.ts";

/** Position of a tuning: the contents of a state except tensors. */
export interface TuningPosition {
  /** Losses of the finished epochs. */
  readonly epochs: readonly TunedEpoch[];
}

/** Keeper of the state of a tuning in a file. */
export interface TuningKeeper {
  /** Returns the position to begin at; if the tuning resumes from a state, reads the state's tensors. */
  begin(): Promise<TuningPosition>;
  /** Writes the position and the tensors to the file; does nothing if no state is kept. */
  save(position: TuningPosition): Promise<void>;
}

/** Options of {@link createTuningKeeper}. */
export interface TuningKeeperOptions {
  /** File of the state; undefined if no state is kept. */
  readonly path: string | undefined;
  /** Whether to go on from an existing state; if not, an existing state is an error. */
  readonly resume: boolean;
  /** Describes all inputs that decide the result. */
  describe(): Promise<RunDescription>;
}

const START: TuningPosition = { epochs: [] };

const TUNING: WorkKind<TuningPosition> = {
  what: "tuning by connectivity",
  of: "network",
  key: "isthmus-tuning",
  version: 1,
  isPosition: (value): value is TuningPosition =>
    Array.isArray((value as Partial<TuningPosition> | null)?.epochs),
};

/**
 * Creates the keeper of a file, which reads and writes the values of `tensors`.
 * @throws InputError, from `begin`, if there is a state and `resume` is not set
 * @throws FormatError, MismatchError, from `begin`, if the file is not a state, or is the state of another
 *   tuning
 */
export async function createTuningKeeper(
  tensors: ReadonlyMap<string, Tensor>,
  { path, resume, describe }: TuningKeeperOptions,
): Promise<TuningKeeper> {
  if (path === undefined) return { begin: async () => START, save: async () => {} };
  const run = await describe();
  return {
    async begin() {
      if (!resume) await assertNoWorkState("tune by connectivity", path);
      return (await loadWorkStateInto(path, TUNING, run, tensors)) ?? START;
    },
    save: (position) => saveWorkState(path, TUNING, { run, position }, tensors),
  };
}
