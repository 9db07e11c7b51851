import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { entry, UsageError } from "@isthmus/core";
import type { AnyMeasurement } from "@isthmus/findings";
import { ENDING, nameState } from "../training/training-files.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";

/** Files of a command whose measurement makes networks. */
export interface MadeFiles {
  /** The file or the folder that the command line names. */
  readonly output: string;
  /** Files of the networks by their names. */
  readonly networks: ReadonlyMap<string, string>;
  /** File of the graph of the networks. @defaultValue none is written */
  readonly graph: string | undefined;
  /** File of the result. @defaultValue none is written */
  readonly result: string | undefined;
  /** The state that an interrupted run leaves, which `--resume` goes on from; removed at the end. */
  readonly state: string;
}

/** Adds the options for the files that a command writes: the result or, if it makes networks, these. */
export function addOutputOptions(command: CommandUnknownOpts, { makes }: AnyMeasurement): void {
  if (makes === undefined) command.option("-o, --output <file>", "write the result (.json)");
  else
    command
      .requiredOption("-o, --output <path>", makes.help)
      .option("--resume", "go on from the state in or beside OUTPUT if an interrupted run left one");
  command.option("--report <file>", "write a page with figures and all numbers (.html)");
}

/**
 * Returns the files of the networks that a measurement makes, undefined if it makes none. An output ending in
 * `.safetensors` is the file of a single network; any other output is a folder.
 * @throws UsageError if one file is named for several networks
 */
export function nameMadeFiles(
  { makes }: AnyMeasurement,
  output: string | undefined,
  options: Readonly<Record<string, unknown>>,
): MadeFiles | undefined {
  if (makes === undefined || output === undefined) return undefined;
  const { beside, state } = makes;
  const names = makes.names(options);
  const fileOf = (name: string) => (output.endsWith(ENDING) ? output : join(output, `${name}${ENDING}`));
  if (output.endsWith(ENDING) && names.length > 1) {
    throw new UsageError(
      `Cannot write ${names.length} networks to "${output}" as each needs a file of its own: it is one file; let -o name a folder`,
    );
  }
  return {
    output,
    networks: new Map(names.map((name) => [name, fileOf(name)])),
    graph: beside && join(output, `${beside.graph}.onnx`),
    result: beside && join(output, `${beside.result}.json`),
    state: nameState(fileOf(state)),
  };
}

/** Lists the files of a command whose measurement makes networks, without the state. */
export function listMadeFiles({ networks, graph, result }: MadeFiles): readonly string[] {
  return [...networks.values(), graph, result].filter((file) => file !== undefined);
}

/**
 * Makes networks as the only process with these files, from scratch unless `resume` is set. The state is
 * removed once all is done.
 */
export async function makeAlone<T>(
  { output, state }: MadeFiles,
  resume: boolean,
  work: () => Promise<T>,
): Promise<T> {
  return withTrainingLock({ state, output }, async () => {
    if (!resume) for (const file of await statesOf(state)) await rm(file, { force: true });
    const done = await work();
    await rm(state, { force: true });
    return done;
  });
}

/** Lists a state and the states of parts of the same run beside it, such as `a.state.sum-0.safetensors`. */
async function statesOf(state: string): Promise<readonly string[]> {
  const folder = dirname(state);
  const stem = basename(state, ENDING);
  const names = await readdir(folder);
  return names
    .filter((name) => name.startsWith(`${stem}.`) && name.endsWith(ENDING))
    .map((name) => join(folder, name));
}

/**
 * Returns a function that names the file of a network: a finished one, or an intermediate one in a folder;
 * undefined if none is written.
 */
export function placeOf(
  made: MadeFiles | undefined,
  folder: string | undefined,
): ((name: string) => string) | undefined {
  if (made !== undefined) return (name) => entry(made.networks, name, "network");
  return folder === undefined ? undefined : (name) => join(folder, `${name}${ENDING}`);
}
