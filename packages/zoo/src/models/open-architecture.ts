import {
  adviseOnExperts,
  DTYPES,
  entry,
  formatShape,
  MismatchError,
  resolveModelPath,
  sameShape,
  type Tensor,
  UsageError,
} from "@isthmus/core";
import type { NoiseObjective, TextObjective } from "@isthmus/data";
import {
  type Architecture,
  type Engine,
  type Graph,
  type LossOption,
  readGraph,
  readLayersModel,
  restrictOutputs,
  scoreBy,
  scoreOutput,
} from "@isthmus/graph";
import { basename, dirname, stat } from "@isthmus/platform";
import type { ConfigNetwork } from "./network-of-config.ts";
import { readNoiseObjective } from "./noise-objective.ts";
import { findModelConfig, openModel } from "./open-model.ts";
import { readTextEncoding, type TextEncoding } from "./text-encoding.ts";
import { readTextObjective } from "./text-objective.ts";

/** Facts that a graph's file may not state; a type alias, so that it has an implicit index signature. */
export type GraphOptions = {
  /** Names of the data inputs. */
  readonly input?: readonly string[] | undefined;
  /** Name of the output that is scored. */
  readonly logits?: string | undefined;
  /**
   * Names of the outputs that count as the function of the network: permutations preserve these, and the
   * order of other outputs is free. @defaultValue all
   */
  readonly outputs?: readonly string[] | undefined;
};

/** Options for reading an architecture, and the loss by which its networks are scored. */
export interface OpenArchitectureOptions extends GraphOptions, LossOption {}

/** An architecture as read from a file or built from a config. */
export interface ReadArchitecture {
  /** Graph of the architecture, whose weights are inputs. */
  readonly graph: Graph;
  /** Weights that the file contains; empty if its weights are inputs. */
  readonly carried: ReadonlyMap<string, Tensor>;
  /** Makes a small graph of the same structure; absent if the graph was read from a file. */
  readonly narrow?: (() => Graph) | undefined;
  /** Makes the graph of the same weights for smaller examples; absent if there is none. */
  readonly shrink?: (() => Graph) | undefined;
  /** Pattern of names of tensors of other parts of a model; absent if the graph is that of a whole model. */
  readonly otherParts?: RegExp | undefined;
  /** Model for which the graph was built; absent if the graph was read from a file. */
  readonly model?: ReadModel | undefined;
  /** Encoding of texts by the folder of the weights, if the graph was read from a file. */
  readonly encoding?: TextEncoding | undefined;
  /** Objective of a diffusion model by the scheduler beside its weights; absent without a scheduler. */
  readonly noise?: NoiseObjective | undefined;
}

/** An architecture as read or built, and the engine that runs it. */
export interface OpenedArchitecture extends ReadArchitecture, Architecture {
  /** Maker of a small graph of the same structure; absent if the graph was read from a file. */
  readonly narrow?: (() => Graph) | undefined;
  /** Maker of the graph of the same weights for smaller examples; absent if there is none. */
  readonly shrink?: (() => Graph) | undefined;
}

/** A model whose network was built from its config. */
export interface ReadModel
  extends TextEncoding,
    Pick<ConfigNetwork, "modelType" | "maxLength" | "vocabularySize"> {
  /** Tokens of a text that the model predicts; absent if it predicts each from those before it. */
  readonly objective?: TextObjective;
  /** The model's folder, for messages. */
  readonly path: string;
  /** Builds the network for examples of another number of tokens, and of pairs. */
  ofLength(length: number, pairs?: number): Pick<ReadArchitecture, "graph" | "narrow" | "shrink">;
}

/** Pattern of names of files of weights, beside which a config may lie. */
const WEIGHTS = /\.safetensors(\.index\.json)?$/;

/**
 * Reads an architecture: a model's folder with its config.json, that config, or weights beside it; a
 * LayersModel of TensorFlow.js if the name ends in .json; else an ONNX file.
 *
 * @throws InputError if a named input or output does not exist
 * @throws UsageError if there is no such loss
 */
export async function readArchitecture(
  path: string,
  options: OpenArchitectureOptions = {},
): Promise<ReadArchitecture> {
  const name = path.toLowerCase();
  if (basename(name) === "config.json") return readModel(dirname(path), options);
  if (WEIGHTS.test(name)) return readModel(path, options);
  if (name.endsWith(".json")) {
    const { graph, checkpoint } = await readLayersModel(path);
    await checkpoint.close();
    return { graph: counted(graph, options), carried: new Map() };
  }
  const stats = await stat(await resolveModelPath(path)).catch(() => undefined);
  if (stats?.isDirectory()) return readModel(path, options);
  const { input } = options;
  const { graph, weights } = await readGraph(path, input === undefined ? {} : { inputs: input });
  return { graph: counted(graph, options), carried: weights };
}

/**
 * Reads an architecture as {@link readArchitecture} does, and joins it with the engine that will run it.
 *
 * Weights that a graph's file contains are not yet bound to a checkpoint: `bindArchitecture` of
 * `@isthmus/graph` finds the tensors of checkpoints that they correspond to.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { createOnnxRuntimeEngine } from "@isthmus/engine";
 * import { bindArchitecture } from "@isthmus/graph";
 * import { openArchitecture } from "@isthmus/zoo";
 *
 * const opened = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const architecture = await bindArchitecture(opened, [network]);
 * assert.equal(architecture.binding.byName, 8);
 * await network.close();
 * ```
 */
export async function openArchitecture(
  path: string,
  engine: Engine,
  options: OpenArchitectureOptions = {},
): Promise<OpenedArchitecture> {
  return { ...(await readArchitecture(path, options)), engine };
}

/**
 * Opens the architecture that checkpoints share: from a graph if one is named, else from the config beside
 * each of them.
 *
 * @throws MismatchError if two configs describe networks of different structure
 */
export async function openSharedArchitecture(
  paths: readonly string[],
  engine: Engine,
  { graph, ...options }: OpenArchitectureOptions & { readonly graph?: string | undefined } = {},
): Promise<OpenedArchitecture> {
  const [first = "", ...others] = paths;
  if (graph !== undefined) {
    const opened = await openArchitecture(graph, engine, options);
    return first === "" ? opened : { ...opened, ...(await readBeside(first)) };
  }
  const model = await readModel(first, options);
  for (const other of others) {
    const { graph: second } = await readModel(other);
    assertSameArchitecture([first, model.graph], [other, second]);
  }
  return { ...model, engine };
}

/** Reads the encoding of texts and the schedule of noise in a model's folder, or beside a file of weights. */
async function readBeside(path: string): Promise<Pick<ReadArchitecture, "encoding" | "noise">> {
  const resolved = await resolveModelPath(path);
  const isFolder = (await stat(resolved).catch(() => undefined))?.isDirectory() ?? false;
  const folder = isFolder ? resolved : dirname(resolved);
  return { encoding: await readTextEncoding(folder), noise: await readNoiseObjective(folder) };
}

/**
 * Checks that the architecture of some checkpoints is known: that a graph is named, or every checkpoint has
 * a config.
 * @param attempt - name of the operation for the message, for example `merge with --align`
 * @throws UsageError if no graph is named, and a checkpoint has no config
 */
export async function assertArchitecture(
  attempt: string,
  paths: readonly string[],
  { graph }: { readonly graph?: string | undefined },
): Promise<void> {
  if (graph !== undefined) return;
  for (const path of paths) {
    if ((await findModelConfig(path)) !== undefined) continue;
    const named = paths.find((other) => other.toLowerCase().endsWith(".onnx"));
    if (named !== undefined) {
      throw new UsageError(
        `Cannot ${attempt} as it needs the architecture: "${named}" stands among the checkpoints; put --graph before it`,
      );
    }
    throw new UsageError(
      `Cannot ${attempt} as it needs the architecture: give --graph model.onnx, or model folders with config.json; "${path}" has none`,
    );
  }
}

/** Returns a graph with the outputs that count, and with the named scored value and loss. */
function counted(graph: Graph, { logits, outputs, loss }: OpenArchitectureOptions): Graph {
  const restricted = outputs === undefined ? graph : restrictOutputs(graph, outputs);
  return scoreBy(logits === undefined ? restricted : scoreOutput(restricted, logits), loss);
}

/** Builds the network of a model's config, and checks it against the names and shapes of the weights. */
async function readModel(path: string, options: OpenArchitectureOptions = {}): Promise<ReadArchitecture> {
  const { network, checkpoint, configPath } = await openModel(path);
  await checkpoint.close();
  const { modelType, maxLength, vocabularySize } = network;
  const built = (made: ConfigNetwork) => {
    const { shrink } = made;
    return {
      graph: counted(made.graph, options),
      narrow: () => counted(made.narrow().graph, options),
      ...(shrink && { shrink: () => counted(shrink().graph, options) }),
    };
  };
  const objective = await readTextObjective(network, dirname(configPath));
  const model: ReadModel = {
    ...(objective === undefined ? {} : { objective }),
    ...(await readTextEncoding(dirname(configPath))),
    path,
    modelType,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(vocabularySize === undefined ? {} : { vocabularySize }),
    ofLength: (length, pairs) => built(network.ofLength(length, pairs)),
  };
  return {
    ...built(network),
    carried: new Map(),
    otherParts: network.otherParts,
    model,
    noise: await readNoiseObjective(dirname(configPath)),
  };
}

/** Returns whether the configs beside two networks describe networks of one structure. */
export async function haveOneArchitecture(path: string, other: string): Promise<boolean> {
  const [one, two] = [await readModel(path), await readModel(other)];
  return firstDifference(one.graph, two.graph) === undefined;
}

/**
 * Checks that two graphs have the same symmetries, as they differ only in numbers: bases of rotary positions,
 * epsilons and other floating-point constants do not matter.
 * @throws MismatchError if they differ otherwise, for example in the number of heads, which shapes of weights
 *   do not show
 */
function assertSameArchitecture(
  [nameA, a]: readonly [string, Graph],
  [nameB, b]: readonly [string, Graph],
): void {
  const difference = firstDifference(a, b);
  if (difference === undefined) return;
  throw new MismatchError(
    `Cannot align "${nameB}" to "${nameA}" as their configs must describe networks of one structure: ${difference}`,
    { parameters: [] },
  );
}

/** Describes the first difference between two graphs; undefined if there is none. */
function firstDifference(a: Graph, b: Graph): string | undefined {
  const onlyIn = (one: Graph, two: Graph) => [...one.weights.keys()].filter((name) => !two.weights.has(name));
  const [more, less] = [onlyIn(b, a), onlyIn(a, b)];
  const listed = (names: readonly string[]) => `such as "${names[0]}"${adviseOnExperts(names)}`;
  if (more.length > 0) return `the second has ${more.length} tensors more, ${listed(more)}`;
  if (less.length > 0) return `the second lacks ${less.length} tensors, ${listed(less)}`;
  for (const [name, { shape }] of a.weights) {
    const other = entry(b.weights, name).shape;
    if (!sameShape(shape, other)) return `"${name}" is ${formatShape(shape)} and ${formatShape(other)}`;
  }
  return structureOf(a) === structureOf(b)
    ? undefined
    : "they differ in heads, or in how layers follow each other";
}

function structureOf({ weights, nodes, constants }: Graph): string {
  return JSON.stringify([
    [...weights].map(([name, { shape }]) => [name, shape]),
    [...constants].map(([name, { dtype, shape, data }]) => [
      name,
      shape,
      DTYPES[dtype].float ? [] : Array.from(data as Int32Array, String),
    ]),
    nodes.map(({ op, inputs, outputs, attributes }) => [
      op,
      inputs,
      outputs,
      [...attributes].filter(([, { type }]) => type === "int" || type === "ints" || type === "string"),
    ]),
  ]);
}
