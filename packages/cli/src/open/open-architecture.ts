import {
  type GraphOptions,
  type OpenedArchitecture,
  openArchitecture as open,
  openSharedArchitecture as openShared,
} from "@isthmus/zoo";
import { createEngine, type EngineOptions } from "../options/engine-option.ts";

/**
 * Options that say where the architecture of checkpoints is read from: a graph if one is named,
 * else their config.
 */
export type ArchitectureOptions = EngineOptions &
  GraphOptions & {
    readonly graph?: string | undefined;
  };

/** Opens an architecture from a file or a model's folder, with the engine that `--engine` names. */
export async function openArchitecture(
  path: string,
  { engine, input, logits, outputs }: EngineOptions & GraphOptions,
): Promise<OpenedArchitecture> {
  return open(path, await createEngine(engine), { input, logits, outputs });
}

/** Opens the architecture that checkpoints share, with the engine that `--engine` names. */
export async function openSharedArchitecture(
  paths: readonly string[],
  { engine, graph, input, logits, outputs }: ArchitectureOptions,
): Promise<OpenedArchitecture> {
  return openShared(paths, await createEngine(engine), { graph, input, logits, outputs });
}
