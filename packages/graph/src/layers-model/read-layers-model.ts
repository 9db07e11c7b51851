import {
  at,
  type Checkpoint,
  type DType,
  entry,
  excerpt,
  FormatError,
  openCheckpoint,
  openFileSource,
  readModelJson,
  type TensorInfo,
} from "@isthmus/core";
import { GraphBuilder, type Value } from "../builder/graph-builder.ts";
import type { Graph } from "../ir/graph.ts";
import type { ConfigReader } from "./config-reader.ts";
import { decodeTopology, type Layer, type LayerResult, type Topology } from "./decode-topology.ts";
import { Flow } from "./flow.ts";
import { type LayerContext, weightFinder } from "./layer-context.ts";
import { LAYERS } from "./layers/table.ts";

/** A model of TensorFlow.js: its architecture and its weights. */
export interface LayersModel {
  /** Architecture, which takes any batch; images have their channels last, as in the model. */
  readonly graph: Graph;
  /** Weights under their names in the model; must be closed after use. */
  readonly checkpoint: Checkpoint;
}

/**
 * Reads a LayersModel that TensorFlow.js saved or its converter made from a Keras model: `model.json` and
 * the files of weights beside it.
 *
 * Sequential and functional models of dense, convolution, pooling, norm, activation, merge and layout layers
 * are supported. Random noise for training is left out of the graph; dropout remains an operator.
 * @throws InputError if a file is missing
 * @throws FormatError if the model is malformed
 * @throws MismatchError if a weight is missing or has another shape than its layer needs
 * @throws UnsupportedError if a layer is not supported; the message names it
 */
export async function readLayersModel(path: string): Promise<LayersModel> {
  const topology = decodeTopology(await readTopology(path), path);
  const checkpoint = await openCheckpoint(path);
  try {
    return { graph: buildTopology(topology, checkpoint.tensors, path), checkpoint };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function readTopology(path: string): Promise<unknown> {
  const source = await openFileSource(path);
  try {
    const model = await readModelJson(source);
    if (model !== undefined) return model.modelTopology;
  } finally {
    await source.close();
  }
  throw new FormatError(
    `Cannot read "${path}" as it must be the model.json of a LayersModel: it has no modelTopology`,
    { format: "layers-model" },
  );
}

/** Operator set of the graphs: layer norms are operators from 17 on. */
const OPSET = 17;
/** Batch size for building; the graph then takes any batch. */
const BATCH = 2;

/**
 * Builds the graph of a topology. Inputs and outputs have the shapes of the model, images with their channels
 * last. Weights are stored unchanged under their names, and transposed by nodes if ONNX needs another order
 * of axes.
 *
 * @param tensors - types of the stored weights, by name
 * @param source - name of the file for messages
 * @throws FormatError if layers are not connected, or a setting is malformed
 * @throws MismatchError if a weight is missing or has another shape than its layer needs
 * @throws UnsupportedError if a layer is not supported; the message names it
 */
function buildTopology(topology: Topology, tensors: ReadonlyMap<string, TensorInfo>, source: string): Graph {
  const { name, inputs, outputs } = topology;
  const builder = new GraphBuilder(name, OPSET);
  const flows = new Map<string, Flow>();
  const flowOf = (result: LayerResult): Flow => entry(flows, keyOf(result), "result of a layer");
  for (const input of inputs) {
    const { config } = layerOf(topology, input, source);
    flows.set(keyOf(input), Flow.last(addInput(builder, config)));
  }
  const weightsOf = weightFinder(builder, tensors, source);
  for (const result of inOrder(topology, source)) {
    if (flows.has(keyOf(result))) continue;
    const { config, calls } = layerOf(topology, result, source);
    const operands = at(calls, result.call, "call").map((operand) => flowOf(operand));
    flows.set(
      keyOf(result),
      buildLayer({ config, builder, inputs: operands, weight: weightsOf(config.layer) }),
    );
  }
  const results = outputs.map((output) => rename(builder, output, flowOf(output).last()));
  return builder.build(results, { batchName: "N" });
}

/** Names an output after its layer. */
function rename(builder: GraphBuilder, { layer, call }: LayerResult, value: Value): Value {
  return builder.rename(value, call === 0 ? `${layer}:output` : `${layer}:output:${call}`);
}

const keyOf = ({ layer, call }: LayerResult): string => JSON.stringify([layer, call]);

function layerOf({ layers }: Topology, { layer, call }: LayerResult, source: string): Layer {
  const called = layers.get(layer);
  if (called?.calls[call] !== undefined) return called;
  throw new FormatError(
    `Cannot read "${source}" as layers must be connected to layers: there is no call ${call} of "${layer}"`,
    { format: "layers-model" },
  );
}

/** Lists the results that outputs need, each after the results from which it is computed. */
function inOrder(topology: Topology, source: string): LayerResult[] {
  const order: LayerResult[] = [];
  const state = new Map<string, "open" | "done">();
  const fed = new Set(topology.inputs.map(keyOf));
  const pending = topology.outputs.toReversed();
  for (let result = pending.at(-1); result !== undefined; result = pending.at(-1)) {
    const key = keyOf(result);
    const operands = fed.has(key) ? [] : at(layerOf(topology, result, source).calls, result.call, "call");
    const missing = operands.filter((operand) => state.get(keyOf(operand)) !== "done");
    if (state.get(key) !== "done" && missing.length > 0) {
      if (state.get(key) === "open") throw circular(source, result);
      state.set(key, "open");
      pending.push(...missing.toReversed());
      continue;
    }
    pending.pop();
    if (state.get(key) === "done") continue;
    state.set(key, "done");
    order.push(result);
  }
  return order;
}

function circular(source: string, { layer }: LayerResult): FormatError {
  return new FormatError(`Cannot read "${source}" as layers must not depend on themselves: "${layer}" does`, {
    format: "layers-model",
  });
}

function buildLayer(context: LayerContext): Flow {
  const { config } = context;
  const build = LAYERS.get(config.className);
  if (build !== undefined) return build(context);
  throw config.unsupported("layers of its class are not handled; export the model as ONNX", config.className);
}

/** Element types of inputs by their names. */
const INPUT_TYPES: Readonly<Record<string, DType>> = { float32: "f32", int32: "i32", bool: "bool" };

function addInput(builder: GraphBuilder, config: ConfigReader): Value {
  const shape = config.value("batch_input_shape") ?? config.value("batch_shape");
  const extents: readonly unknown[] = Array.isArray(shape) ? shape.slice(1) : [];
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && (extent as number) > 0;
  if (!Array.isArray(shape) || shape.length < 2 || !extents.every(isExtent)) {
    throw config.unsupported(
      `all extents of its shape but the batch must be given: they are ${excerpt(shape)}`,
      "input of open extents",
    );
  }
  const type = config.text("dtype", "float32");
  const dtype = Object.hasOwn(INPUT_TYPES, type) ? INPUT_TYPES[type] : undefined;
  if (dtype === undefined) throw config.unsupported(`its element type is not handled: ${type}`, type);
  return builder.input(config.layer, { dtype, shape: [BATCH, ...(extents as number[])] });
}
