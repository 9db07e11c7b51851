import type { Checkpoint } from "@isthmus/core";
import {
  type BindArchitectureOptions,
  type BoundArchitecture,
  bindArchitecture,
  type DataSet,
  type Engine,
} from "@isthmus/graph";
import { type ExamplesReading, openExamples } from "../examples/open-examples.ts";
import { dataContext } from "./data-context.ts";
import { fitToData } from "./fit-to-data.ts";
import {
  type OpenArchitectureOptions,
  type OpenedArchitecture,
  openSharedArchitecture,
} from "./open-architecture.ts";

/** Options for opening networks that share an architecture, and examples for them. */
export interface SharedReading extends OpenArchitectureOptions, BindArchitectureOptions, ExamplesReading {
  /** Engine that runs the graph. */
  readonly engine: Engine;
  /** File of the architecture. @defaultValue the config beside each checkpoint */
  readonly graph?: string | undefined;
}

/** Networks bound to the architecture that they share, and the opened examples. */
export interface BoundOpening<N extends string> {
  /** Architecture that all checkpoints share, with the checkpoints under the names of its graph. */
  readonly architecture: OpenedArchitecture & BoundArchitecture;
  /** Opened examples by the keys of their names. */
  readonly examples: ReadonlyMap<N, DataSet>;
}

/**
 * Opens the architecture that checkpoints share and examples for it, and binds the checkpoints to it.
 * @param paths - files of the checkpoints
 * @param names - names of the examples, in the order in which they are opened; the network of a model's
 *   folder is built for the length of the first. Examples without a name are not opened
 * @throws MismatchError if checkpoints and architecture do not fit each other
 */
export async function openBound<N extends string>(
  paths: readonly string[],
  checkpoints: readonly Checkpoint[],
  names: Readonly<Record<N, string | undefined>>,
  options: SharedReading,
): Promise<BoundOpening<N>> {
  const read = await openSharedArchitecture(paths, options.engine, options);
  const examples = new Map<N, DataSet>();
  for (const name in names) {
    const source = names[name];
    if (source !== undefined) examples.set(name, await openExamples(source, dataContext(read), options));
  }
  const [first] = examples.values();
  const fitted = first === undefined ? read : fitToData(read, first);
  return {
    architecture: await bindArchitecture(fitted, checkpoints, options),
    examples,
  };
}
