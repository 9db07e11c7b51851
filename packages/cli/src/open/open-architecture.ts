import { createEngine } from "@isthmus/engine";
import type { NamedLoss } from "@isthmus/graph";
import {
  type GraphOptions,
  type OpenedArchitecture,
  openArchitecture as open,
  openSharedArchitecture as openShared,
} from "@isthmus/zoo";
import type { EngineOptions } from "../options/engine-option.ts";

/** Options for reading the file of a graph, and for the loss by which its networks are scored. */
export type ArchitectureReading = GraphOptions & {
  /** Loss by which networks are scored. @defaultValue the loss that follows from the labels and the output */
  readonly loss?: NamedLoss | undefined;
};

/** Options for the source of the architecture of checkpoints: a graph if one is named, else their config. */
export type ArchitectureOptions = EngineOptions &
  ArchitectureReading & {
    /**
     * File of the architecture, `.onnx` or the `model.json` of a LayersModel.
     * @defaultValue the config.json of the checkpoints
     */
    readonly graph?: string | undefined;
  };

/** Opens an architecture from a file or a model's folder, with the engine that `--engine` names. */
export async function openArchitecture(
  path: string,
  { engine, ...options }: EngineOptions & ArchitectureReading,
): Promise<OpenedArchitecture> {
  return open(path, await createEngine(engine), readingOf(options));
}

/** Opens the architecture that checkpoints share, with the engine that `--engine` names. */
export async function openSharedArchitecture(
  paths: readonly string[],
  { engine, graph, ...options }: ArchitectureOptions,
): Promise<OpenedArchitecture> {
  return openShared(paths, await createEngine(engine), { graph, ...readingOf(options) });
}

/** Takes only the options for reading a graph: verbs pass all options that they have. */
const readingOf = ({ input, logits, outputs, loss }: ArchitectureReading): ArchitectureReading => ({
  input,
  logits,
  outputs,
  loss,
});
