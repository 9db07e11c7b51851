import type { Checkpoint } from "@isthmus/core";
import { type BoundOpening, noteFeeds, openBound } from "@isthmus/zoo";
import { readingOf } from "../open/reading-of.ts";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { ManyVerbOptions } from "../options/many-options.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";
import type { Context } from "../verb.ts";

/** Opens the architecture that networks share and the examples to match them by, and binds the networks. */
export async function openToAlign(
  paths: readonly string[],
  checkpoints: readonly Checkpoint[],
  options: EngineOptions &
    BindingOptions &
    MatchVerbOptions &
    Pick<ManyVerbOptions, "judge"> & {
      readonly graph?: string | undefined;
      readonly data?: string | undefined;
    },
  context: Context,
): Promise<BoundOpening<"data">> {
  const reading = await readingOf(options, context);
  const data = options.method === "weight" && options.judge !== "merged" ? undefined : options.data;
  const opened = await openBound(paths, checkpoints, { data }, reading);
  const examples = opened.examples.get("data");
  const isScaled = reading.scaling !== undefined;
  if (examples !== undefined)
    noteFeeds("align", opened.architecture, examples, { isScaled, onNote: reading.onNote });
  return opened;
}
