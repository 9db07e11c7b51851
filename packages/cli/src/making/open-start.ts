import { at, type Checkpoint } from "@isthmus/core";
import type { Architecture, BindingSummary, BoundNetwork, DataSet } from "@isthmus/graph";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import type { ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";

/** Options for reading the architecture and the examples of a network. */
export type ReadingOptions = EngineOptions &
  BindingOptions &
  ScalingOptions & { readonly graph?: string | undefined };

/**
 * Opened networks and examples that a network is made from.
 * @typeParam A - the architecture, or undefined if tensors alone are worked on
 */
export interface OpenedStart<A> {
  /** Networks to work on, in the order of the command line, under the graph's names if there is a graph. */
  readonly networks: readonly Checkpoint[];
  /** Graph and engine of the networks, or undefined. */
  readonly architecture: A;
  /** Examples that the command line names, by their names. */
  readonly examples: Readonly<Record<string, DataSet>>;
}

/** An opened start, with the function that prepares a network for writing. */
interface BoundStart<A> extends OpenedStart<A> {
  readonly binding: BindingSummary | undefined;
  /** Gives the tensors of a network the names that they have in the files. */
  readonly restore: BoundNetwork["restore"];
}

/** Way in which a command opens the start of a network that it makes. */
export interface StartOpening<A> {
  /** Files that are read beside the checkpoints, and must not be overwritten. */
  readonly files: readonly string[];
  /**
   * Opens the architecture and the examples for checkpoints that are open already, and binds the checkpoints.
   */
  open(checkpoints: readonly Checkpoint[], context: Context): Promise<BoundStart<A>>;
}

/** Opening of networks of any architecture as tensors alone. */
export const OPEN_TENSORS: StartOpening<undefined> = {
  files: [],
  open: async (networks) => ({
    networks,
    architecture: undefined,
    examples: {},
    binding: undefined,
    restore: (network) => network,
  }),
};

/** Names of the architecture and of the examples with which a network is made, from the command line. */
export interface ReadingRequest {
  /** Name of the command, for messages. */
  readonly verb: string;
  /** Paths of the checkpoints, whose config.json describes the architecture if no graph is named. */
  readonly paths: readonly string[];
  /** Options that name the graph and say how weights and data are read. */
  readonly reading: ReadingOptions;
  /** Names of examples, in the order in which they are opened. */
  readonly examples: Readonly<Record<string, string | undefined>>;
}

/** Opens networks with the architecture that they share, and examples for it. */
export function openWithGraph({
  verb,
  paths,
  reading,
  examples,
}: ReadingRequest): StartOpening<Architecture> {
  return {
    files: [reading.graph, reading.exportedFrom].filter((file) => file !== undefined),
    async open(checkpoints, context) {
      await assertArchitecture(verb, paths, reading);
      const opened = await openBound(paths, checkpoints, examples, await readingOf(reading, context));
      const { architecture: bound } = opened;
      return {
        networks: bound.networks.map(({ network }) => network),
        architecture: bound,
        examples: Object.fromEntries(opened.examples),
        binding: bound.binding,
        restore: at(bound.networks, 0, "network").restore,
      };
    },
  };
}
