import type { Checkpoint } from "@isthmus/core";
import type { TrainOptions } from "../train/train-options.ts";

/** Options of {@link distill}. */
export interface DistillOptions
  extends Pick<
    TrainOptions,
    | "seed"
    | "optimizer"
    | "schedule"
    | "freeze"
    | "threads"
    | "statePath"
    | "saveEvery"
    | "resume"
    | "collect"
    | "signal"
    | "onProgress"
  > {
  /** Number of steps over all experts, which teach in turn. @defaultValue 300 */
  readonly steps?: number;
  /**
   * Examples in a step, at most all of an expert. @defaultValue 16, or the batch of a graph with a fixed one
   */
  readonly batch?: number | undefined;
  /** Temperature by which distributions are softened, above 0. @defaultValue 1 */
  readonly temperature?: number;
  /** Patterns of the only parameters that learn; `*` matches any characters. @defaultValue all learn */
  readonly only?: readonly string[];
}

type Defaulted =
  | "steps"
  | "temperature"
  | "only"
  | "optimizer"
  | "schedule"
  | "freeze"
  | "threads"
  | "saveEvery"
  | "resume";

/** Defaults of {@link DistillOptions}. */
export const DISTILL_DEFAULTS: Required<Pick<DistillOptions, Defaulted>> & { readonly batch: number } = {
  steps: 300,
  batch: 16,
  temperature: 1,
  optimizer: { kind: "adamw" },
  schedule: { kind: "cosine", learningRate: 0.0003 },
  only: [],
  freeze: [],
  threads: 0,
  saveEvery: 0,
  resume: false,
};

/** A network that learned from experts. */
export interface Distilled {
  /** Its weights, of all graphs, in memory. */
  readonly weights: Checkpoint;
  /** Number of steps of the whole training. */
  readonly steps: number;
  /** Number of steps that an earlier call had made; 0 if it did not resume. */
  readonly resumedAt: number;
  /** Mean loss of all batches, each measured before its step; NaN without steps. */
  readonly loss: number;
  /** Seconds that this call took. */
  readonly seconds: number;
}
