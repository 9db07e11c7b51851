import { UsageError } from "@isthmus/core";
import type { PruneChoice } from "@isthmus/sparsity";
import type { ScalingOptions } from "../../open/open-data.ts";
import type { BindingOptions } from "../../options/binding-options.ts";
import type { EngineOptions } from "../../options/engine-option.ts";
import type { TicketOptions } from "../../options/ticket-options.ts";
import { stemOf } from "../../training/training-files.ts";

/** Options of `isthmus prune`. */
export interface PruneVerbOptions extends EngineOptions, BindingOptions, ScalingOptions, TicketOptions {
  /** File of the architecture. @defaultValue the config.json of the checkpoint */
  readonly graph?: string | undefined;
  /** Share of the weights to prune, in `[0, 1)`. */
  readonly sparsity: number;
  /**
   * Choice of the pruned elements: least weights of all, of each layer, or least units.
   * @defaultValue "global"
   */
  readonly by: PruneChoice;
  /** Names of the weights, or of the layers of units, that are pruned. @defaultValue all */
  readonly layers?: readonly string[] | undefined;
  /**
   * Other shares to prune by pattern of layers or units, such as `conv*`.
   * @defaultValue `sparsity` for all
   */
  readonly shares?: ReadonlyMap<string, number> | undefined;
  /** Name of the examples to measure losses on. @defaultValue losses are not measured */
  readonly data?: string | undefined;
  /** Name of the examples to train on after pruning. @defaultValue the examples of `--data` */
  readonly trainData?: string | undefined;
  /** Number of times that each example is seen after pruning; 0 for no training. @defaultValue 0 */
  readonly epochs: number;
  /** Learning rate at the beginning, which falls to 0 along half a cosine. @defaultValue 0.01 */
  readonly lr: number;
  /** Number of examples in a step. @defaultValue 128, or all if there are fewer, or the batch of the graph */
  readonly batch?: number | undefined;
  /** Seed of the order of examples. @defaultValue 0 */
  readonly seed: number;
  /** True to go on from the state, or the rounds, that an interrupted run left. @defaultValue a new run */
  readonly resume?: true | undefined;
  /** Path of the pruned network: a file ending in `.safetensors`, or a folder. */
  readonly output: string;
  /** File for the JSON of the result. @defaultValue not written */
  readonly saveResult?: string | undefined;
  /** File for a page with the result. @defaultValue not written */
  readonly report?: string | undefined;
}

/**
 * Checks that the options do not contradict each other.
 * @throws UsageError if they do
 */
export function assertPruneOptions(options: PruneVerbOptions): void {
  const { epochs, rewind, anneal, data, trainData } = options;
  if ((epochs > 0 || rewind !== undefined) && data === undefined && trainData === undefined) {
    const what = epochs > 0 ? "train for --epochs" : "go back by --rewind";
    throw new UsageError(`Cannot ${what} as there must be examples: name them with --train-data`);
  }
  if (anneal !== undefined && epochs === 0) {
    throw new UsageError("Cannot --anneal as pruned weights fade while training: say how long with --epochs");
  }
  if (rewind === undefined) assertNoRounds(options);
  else assertRewinding(options);
}

function assertNoRounds({ rounds, generations, population, method }: PruneVerbOptions): void {
  const there = Object.entries({ rounds, generations, population }).find(([, value]) => value !== undefined);
  const name = there?.[0] ?? (method === "evolution" ? "method evolution" : undefined);
  if (name === undefined) return;
  throw new UsageError(
    `Cannot take --${name} as it belongs to lottery tickets: add --rewind, 0 for the start`,
  );
}

function assertRewinding(options: PruneVerbOptions): void {
  const { anneal, layers, shares, method, by, rewind = 0, epochs } = options;
  if (anneal !== undefined) {
    throw new UsageError(
      "Cannot --anneal with --rewind as rounds are trained with hard masks: leave out one",
    );
  }
  if (layers !== undefined || shares !== undefined) {
    throw new UsageError(
      "Cannot --rewind with --layers or --shares as rounds prune all weights alike: leave them out",
    );
  }
  if (method === "gradient") assertGradientRounds(options);
  else if (by === "units" || rewind > 0 || epochs > 0) {
    throw new UsageError(
      "Cannot train rounds by --method evolution as it goes back to the start, prunes single weights, and is as long as --generations: use --rewind 0, --by global or layer, and no --epochs",
    );
  }
}

function assertGradientRounds({ epochs, rewind = 0, generations, population }: PruneVerbOptions): void {
  if (epochs <= rewind) {
    throw new UsageError(
      `Cannot go back to epoch ${rewind} as --epochs must be more than --rewind: it is ${epochs}`,
    );
  }
  if (generations !== undefined || population !== undefined) {
    throw new UsageError("Cannot take --generations or --population as they belong to --method evolution");
  }
}

/** Returns the path of the folder for the states of rounds. */
export const roundsOf = (output: string): string => `${stemOf(output)}.rounds`;
