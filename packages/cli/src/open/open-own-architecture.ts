import { at, type Checkpoint } from "@isthmus/core";
import type { BoundNetwork, DataSet } from "@isthmus/graph";
import { assertArchitecture, dataContext, fitToData, type OpenedArchitecture } from "@isthmus/zoo";
import type { EngineOptions } from "../options/engine-option.ts";
import type { Context } from "../verb.ts";
import { bindArchitecture } from "./bind-architecture.ts";
import { openSharedArchitecture } from "./open-architecture.ts";
import { openExamples, type ScalingOptions } from "./open-data.ts";

/** A checkpoint, and where its architecture is read from. */
export interface NamedNetwork {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly graph: string | undefined;
  readonly letter: "a" | "b";
}

/** A network of its own architecture, ready to be run. */
export interface OpenedNetwork extends Pick<OpenedArchitecture, "graph" | "engine"> {
  readonly network: Checkpoint;
  readonly bound: BoundNetwork;
  readonly data: DataSet | undefined;
}

/** Options of commands of two networks that may differ in their architectures. */
export interface OwnArchitectureOptions extends EngineOptions, ScalingOptions {
  readonly data?: string | undefined;
}

/**
 * Opens one of two networks, whose architecture `--graph-a` or `--graph-b` names, with its examples if there
 * are any.
 * @param attempt - what the command does, for messages, for example `fuse`
 */
export async function openOwnArchitecture(
  attempt: string,
  { path, checkpoint, graph, letter }: NamedNetwork,
  options: OwnArchitectureOptions,
  context: Context,
): Promise<OpenedNetwork> {
  await assertArchitecture(`${attempt} (--graph-${letter})`, [path], { graph });
  const read = await openSharedArchitecture([path], { engine: options.engine, graph });
  const data =
    options.data === undefined ? undefined : await openExamples(options.data, options, dataContext(read));
  const architecture = data === undefined ? read : fitToData(read, data);
  const { networks, ...bound } = await bindArchitecture(architecture, [checkpoint], {}, context);
  const network = at(networks, 0, "network");
  return { graph: bound.graph, engine: bound.engine, network: network.network, bound: network, data };
}
