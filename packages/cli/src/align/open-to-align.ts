import type { Checkpoint } from "@isthmus/core";
import type { BoundArchitecture, DataSet } from "@isthmus/graph";
import { fitToData, noteFeeds, type OpenedArchitecture } from "@isthmus/zoo";
import { type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { type ArchitectureOptions, openSharedArchitecture } from "../open/open-architecture.ts";
import { type MatchVerbOptions, openMatchData } from "../options/match-options.ts";
import type { Context } from "../verb.ts";

/** Networks that are to be aligned, bound to their architecture. */
export interface NetworksToAlign {
  readonly architecture: OpenedArchitecture & BoundArchitecture;
  /** Examples that they are matched by; undefined if the method needs none, or none are named. */
  readonly data: DataSet | undefined;
}

/** Opens the architecture that networks share and the examples to match them by, and binds the networks. */
export async function openToAlign(
  paths: readonly string[],
  checkpoints: readonly Checkpoint[],
  options: ArchitectureOptions & BindingOptions & MatchVerbOptions & { readonly data?: string | undefined },
  context: Context,
): Promise<NetworksToAlign> {
  const read = await openSharedArchitecture(paths, options);
  const data = await openMatchData(options, options.data, read);
  const opened = data === undefined ? read : fitToData(read, data);
  if (data !== undefined) {
    const isScaled = options.mean !== undefined;
    noteFeeds("align", opened, data, { isScaled, onNote: context.terminal.note });
  }
  return { architecture: await bindArchitecture(opened, checkpoints, options, context), data };
}
