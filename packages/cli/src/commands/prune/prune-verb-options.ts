import { UsageError } from "@isthmus/core";
import type { PruneChoice } from "@isthmus/sparsity";
import type { ScalingOptions } from "../../open/open-data.ts";
import type { BindingOptions } from "../../options/binding-options.ts";
import type { EngineOptions } from "../../options/engine-option.ts";
import type { TicketOptions } from "../../options/ticket-options.ts";
import { stemOf } from "../../training/training-files.ts";

/** Options of `isthmus prune`. */
export interface PruneVerbOptions extends EngineOptions, BindingOptions, ScalingOptions, TicketOptions {
  readonly graph?: string | undefined;
  readonly sparsity: number;
  readonly by: PruneChoice;
  readonly layers?: readonly string[] | undefined;
  readonly shares?: ReadonlyMap<string, number> | undefined;
  readonly data?: string | undefined;
  readonly trainData?: string | undefined;
  readonly epochs: number;
  readonly lr: number;
  readonly batch?: number | undefined;
  readonly seed: number;
  readonly resume?: true | undefined;
  readonly output: string;
  readonly saveResult?: string | undefined;
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
