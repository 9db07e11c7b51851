import type { Engine } from "@isthmus/graph";
import { findModelConfig } from "@isthmus/zoo";
import { assertSameStructure } from "./assert-same-structure.ts";
import { createEngine, type EngineOptions } from "./engine-option.ts";
import {
  type GraphOptions,
  type ReadArchitecture,
  readArchitecture,
  readModel,
} from "./read-architecture.ts";

/** A graph and the engine that runs it. */
export interface Architecture extends ReadArchitecture {
  readonly engine: Engine;
}

/** Reads an architecture from a file or a model's folder, and makes the engine that will run it. */
export async function openArchitecture(
  path: string,
  { engine, ...options }: EngineOptions & GraphOptions,
): Promise<Architecture> {
  return { ...(await readArchitecture(path, options)), engine: await createEngine(engine) };
}

/** Where the architecture of some checkpoints is from: a graph if one is named, else the config of each. */
export type ArchitectureOptions = EngineOptions &
  GraphOptions & {
    readonly graph?: string | undefined;
  };

/**
 * Opens the architecture that checkpoints share.
 *
 * @throws MismatchError if the configs of two describe networks of different structure
 */
export async function openSharedArchitecture(
  paths: readonly string[],
  { graph, engine, ...options }: ArchitectureOptions,
): Promise<Architecture> {
  if (graph !== undefined) return openArchitecture(graph, { engine, ...options });
  const [first = "", ...others] = paths;
  const model = await readModel(first, options);
  for (const other of others) {
    const { graph: second } = await readModel(other);
    assertSameStructure([first, model.graph], [other, second]);
  }
  return { ...model, engine: await createEngine(engine) };
}

/**
 * Checks that the architecture of some checkpoints is known.
 * @throws TypeError if no graph is named, and a checkpoint has no config
 */
export async function assertArchitecture(
  attempt: string,
  paths: readonly string[],
  { graph }: { readonly graph?: string | undefined },
): Promise<void> {
  if (graph !== undefined) return;
  for (const path of paths) {
    if ((await findModelConfig(path)) !== undefined) continue;
    throw new TypeError(
      `Cannot ${attempt} as it needs the architecture: give --graph model.onnx, or model folders with config.json; "${path}" has none`,
    );
  }
}
