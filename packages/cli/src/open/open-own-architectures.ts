import { resolve } from "node:path";
import { at, type Checkpoint, isIsthmusError, MismatchError } from "@isthmus/core";
import type { BoundNetwork, DataSet } from "@isthmus/graph";
import { assertArchitecture, dataContext, fitToData, noteFeeds, type OpenedArchitecture } from "@isthmus/zoo";
import type { EngineOptions } from "../options/engine-option.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import type { OutputsOptions } from "../options/outputs-option.ts";
import type { Context } from "../verb.ts";
import { bindArchitecture } from "./bind-architecture.ts";
import { openSharedArchitecture } from "./open-architecture.ts";
import { openExamples, type ScalingOptions } from "./open-data.ts";

/** A checkpoint, with the source of its architecture. */
export interface NamedNetwork {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly graph: string | undefined;
  /** The checkpoint that the graph was exported from, if it is none of the networks. */
  readonly exportedFrom: string | undefined;
  readonly letter: "a" | "b";
}

/** A network of its own architecture, ready to be run. */
export interface OpenedNetwork extends Pick<OpenedArchitecture, "graph" | "engine"> {
  readonly network: Checkpoint;
  readonly bound: BoundNetwork;
  readonly data: DataSet | undefined;
}

/** Options of commands of two networks that may differ in their architectures. */
export interface OwnArchitectureOptions extends EngineOptions, ScalingOptions, OutputsOptions {
  readonly data?: string | undefined;
}

/** Options that name the checkpoint that each graph was exported from. */
export type ExportedFromOptions = {
  readonly exportedFromA?: string | undefined;
  readonly exportedFromB?: string | undefined;
};

/** Adds the options that name the checkpoint that each graph was exported from. */
export const addExportedFromOptions: AddOptions<ExportedFromOptions> = optionGroup((command) => {
  command
    .option(
      "--exported-from-a <checkpoint>",
      "the checkpoint that the graph of A was exported from, if it is not A; it shows which weight is which",
    )
    .option("--exported-from-b <checkpoint>", "the checkpoint that the graph of B was exported from");
});

/** Options and context of a command that opens two networks. */
interface OpenRequest {
  /** Verb of the command for messages, for example `fuse`. */
  readonly attempt: string;
  readonly options: OwnArchitectureOptions;
  readonly context: Context;
}

/**
 * Opens two networks, whose architectures `--graph-a` and `--graph-b` name, with their examples if there are
 * any. If both have one graph it is bound to both at once, so that either may be the checkpoint that it was
 * exported from.
 */
export async function openOwnArchitectures(
  [a, b]: readonly [NamedNetwork, NamedNetwork],
  request: OpenRequest,
): Promise<[OpenedNetwork, OpenedNetwork]> {
  if (sharesGraph(a, b)) {
    const opened = await openTogether([a, b], request);
    return [at(opened, 0, "network"), at(opened, 1, "network")];
  }
  const first = await openTogether([a], request);
  const second = await openTogether([b], request);
  return [at(first, 0, "network"), at(second, 0, "network")];
}

function sharesGraph(a: NamedNetwork, b: NamedNetwork): boolean {
  if (a.graph === undefined || b.graph === undefined) return false;
  const sources = [a.exportedFrom, b.exportedFrom].filter((path) => path !== undefined);
  return resolve(a.graph) === resolve(b.graph) && new Set(sources).size < 2;
}

/** Opens networks of one graph. */
async function openTogether(
  named: readonly NamedNetwork[],
  { attempt, options, context }: OpenRequest,
): Promise<OpenedNetwork[]> {
  const { graph, letter } = at(named, 0, "network");
  const exportedFrom = named.map((network) => network.exportedFrom).find((path) => path !== undefined);
  const paths = named.map(({ path }) => path);
  await assertArchitecture(`${attempt} (--graph-${letter})`, paths, { graph });
  const read = await openSharedArchitecture(paths, {
    engine: options.engine,
    outputs: options.outputs,
    graph,
  });
  const data =
    options.data === undefined ? undefined : await openExamples(options.data, options, dataContext(read));
  const architecture = data === undefined ? read : fitToData(read, data);
  const checkpoints = named.map(({ checkpoint }) => checkpoint);
  const bound = await bindArchitecture(architecture, checkpoints, { exportedFrom }, context).catch(
    (error: unknown) => nameOption(error, letter),
  );
  // What the examples are fed as is the same for both.
  if (data !== undefined && letter === "a") {
    const isScaled = options.mean !== undefined;
    noteFeeds(attempt, bound, data, { isScaled, onNote: context.terminal.note });
  }
  const { graph: shared, engine } = bound;
  return bound.networks.map((network) => ({
    graph: shared,
    engine,
    network: network.network,
    bound: network,
    data,
  }));
}

/** Throws an error again; the option of verbs with one graph is replaced by the option of one side. */
function nameOption(error: unknown, letter: "a" | "b"): never {
  if (!isIsthmusError(error, "MismatchError")) throw error;
  const { message, parameters, input } = error as MismatchError;
  const named = message.replace(/--exported-from(?!-)/g, `--exported-from-${letter}`);
  throw named === message ? error : new MismatchError(named, { parameters, input, cause: error });
}
