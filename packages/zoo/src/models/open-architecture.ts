import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import {
  DTYPES,
  entry,
  formatShape,
  MismatchError,
  resolveModelPath,
  sameShape,
  type Tensor,
  UsageError,
} from "@isthmus/core";
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
import type { ConfigNetwork } from "./network-of-config.ts";
import { findModelConfig, openModel } from "./open-model.ts";
import { readTextEncoding, type TextEncoding } from "./text-encoding.ts";

/** What a graph's file may not say; a type alias, so that it has an implicit index signature. */
export type GraphOptions = {
  /** Names of the data inputs. */
  readonly input?: readonly string[] | undefined;
  /** Name of the output that is scored. */
  readonly logits?: string | undefined;
  /**
   * Names of the outputs that count as what the network computes: what is permuted keeps these, and the order
   * of others is free. @defaultValue all
   */
  readonly outputs?: readonly string[] | undefined;
};

/** How an architecture is read, and by which loss its networks are scored. */
export interface OpenArchitectureOptions extends GraphOptions, LossOption {}

/** An architecture as it was read. */
export interface ReadArchitecture {
  readonly graph: Graph;
  /** Weights that the file carries; none where its weights are inputs. */
  readonly carried: ReadonlyMap<string, Tensor>;
  /** Makes a small graph of the same structure, where the whole was built and not read. */
  readonly narrow?: (() => Graph) | undefined;
  /** The model that it was built for, where it was not read from a file. */
  readonly model?: ReadModel | undefined;
  /** How the folder of the weights says that texts become tokens, where the graph was read from a file. */
  readonly encoding?: TextEncoding | undefined;
}

/** An architecture as it was read, and the engine that runs it. */
export interface OpenedArchitecture extends ReadArchitecture, Architecture {
  readonly narrow?: (() => Graph) | undefined;
}

/** A model whose network was built from its config. */
export interface ReadModel
  extends TextEncoding,
    Pick<ConfigNetwork, "modelType" | "maxLength" | "vocabularySize"> {
  /** The model's folder, for messages. */
  readonly path: string;
  /** Its network for examples of another number of tokens. */
  ofLength(length: number): Pick<ReadArchitecture, "graph" | "narrow">;
}

/** Files of weights, beside which a config may lie. */
const WEIGHTS = /\.safetensors(\.index\.json)?$/;

/**
 * Reads an architecture: a model's folder with its config.json, that config, or weights beside it; a
 * LayersModel of TensorFlow.js
 * where the name ends in .json; else ONNX.
 *
 * @throws InputError if a data input, the output to be scored or one that counts is not there
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
 * Weights that a graph's file carries are not bound to a checkpoint yet: `bindArchitecture` of
 * `@isthmus/graph` finds which tensors
 * of checkpoints they are.
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
 * Opens the architecture that checkpoints share: of a graph if one is named, else of the config beside each
 * of them.
 *
 * @throws MismatchError if the configs of two describe networks of different structure
 */
export async function openSharedArchitecture(
  paths: readonly string[],
  engine: Engine,
  { graph, ...options }: OpenArchitectureOptions & { readonly graph?: string | undefined } = {},
): Promise<OpenedArchitecture> {
  const [first = "", ...others] = paths;
  if (graph !== undefined) {
    const opened = await openArchitecture(graph, engine, options);
    return first === "" ? opened : { ...opened, encoding: await encodingBeside(first) };
  }
  const model = await readModel(first, options);
  for (const other of others) {
    const { graph: second } = await readModel(other);
    assertSameArchitecture([first, model.graph], [other, second]);
  }
  return { ...model, engine };
}

/** Reads how texts become tokens by the files in a model's folder, or beside a file of weights. */
async function encodingBeside(path: string): Promise<TextEncoding> {
  const resolved = await resolveModelPath(path);
  const isFolder = (await stat(resolved).catch(() => undefined))?.isDirectory() ?? false;
  return readTextEncoding(isFolder ? resolved : dirname(resolved));
}

/**
 * Checks that the architecture of some checkpoints is known: that a graph is named, or every checkpoint has
 * a config.
 * @param attempt - what is attempted, for the message, for example `merge with --align`
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
    throw new UsageError(
      `Cannot ${attempt} as it needs the architecture: give --graph model.onnx, or model folders with config.json; "${path}" has none`,
    );
  }
}

/** Returns a graph with the outputs that count, and what was named of how its networks are scored. */
function counted(graph: Graph, { logits, outputs, loss }: OpenArchitectureOptions): Graph {
  const restricted = outputs === undefined ? graph : restrictOutputs(graph, outputs);
  return scoreBy(logits === undefined ? restricted : scoreOutput(restricted, logits), loss);
}

/** Builds the network of a model's config, and checks it against the names and shapes of the weights. */
async function readModel(path: string, options: OpenArchitectureOptions = {}): Promise<ReadArchitecture> {
  const { network, checkpoint, configPath } = await openModel(path);
  await checkpoint.close();
  const { modelType, maxLength, vocabularySize } = network;
  const built = (made: ConfigNetwork) => ({
    graph: counted(made.graph, options),
    narrow: () => counted(made.narrow().graph, options),
  });
  const model: ReadModel = {
    ...(await readTextEncoding(dirname(configPath))),
    path,
    modelType,
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(vocabularySize === undefined ? {} : { vocabularySize }),
    ofLength: (length) => built(network.ofLength(length)),
  };
  return { ...built(network), carried: new Map(), model };
}

/**
 * Checks that two graphs have the same symmetries because they are the same but for numbers: bases of
 * rotary positions, epsilons
 * and other floating-point constants do not matter.
 * @throws MismatchError if they differ: in heads, say, which no shape of a weight shows
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

/** Says where two graphs differ first; undefined if they do not. */
function firstDifference(a: Graph, b: Graph): string | undefined {
  const onlyIn = (one: Graph, two: Graph) => [...one.weights.keys()].filter((name) => !two.weights.has(name));
  const [more, less] = [onlyIn(b, a), onlyIn(a, b)];
  if (more.length > 0) return `the second has ${more.length} tensors more, such as "${more[0]}"`;
  if (less.length > 0) return `the second lacks ${less.length} tensors, such as "${less[0]}"`;
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
