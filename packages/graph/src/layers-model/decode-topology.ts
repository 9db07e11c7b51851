import { excerpt, FormatError } from "@isthmus/core";
import { ConfigReader, isRecord } from "./config-reader.ts";

/**
 * A result of a layer: the name of the layer, and the number of the call, from 0, as a layer
 * may be applied several times.
 */
export interface LayerResult {
  /** Name of the layer. */
  readonly layer: string;
  /** Number of the call of the layer, from 0. */
  readonly call: number;
}

/** A layer, and the operands of each of its calls. */
export interface Layer {
  /** Settings of the layer, with its name and class. */
  readonly config: ConfigReader;
  /** Results that each call of the layer takes as operands, `[calls][operands]`. */
  readonly calls: readonly (readonly LayerResult[])[];
}

/** A topology: layers by name, inputs and outputs. */
export interface Topology {
  /** Name of the model; "model" if the file has none. */
  readonly name: string;
  /** Layers by name, in the file's order. */
  readonly layers: ReadonlyMap<string, Layer>;
  /** Results that the model takes as inputs, in order. */
  readonly inputs: readonly LayerResult[];
  /** Results that the model returns, in order. */
  readonly outputs: readonly LayerResult[];
}

/** Maximum number of layers of a model: far above the deepest published ones. */
const MAX_LAYERS = 20_000;

/**
 * Checks the topology of a LayersModel, sequential or functional, as TensorFlow.js or Keras writes it.
 * @throws FormatError if it is malformed
 */
export function decodeTopology(json: unknown, source: string): Topology {
  const model = isRecord(json) && json["model_config"] !== undefined ? json["model_config"] : json;
  const { class_name: className, config } = isRecord(model) ? model : {};
  if (className === "Sequential") return decodeSequential(config, source);
  if (className === "Model" || className === "Functional") return decodeFunctional(config, source);
  throw formatError(
    source,
    `its topology must be Sequential, Model or Functional: it is ${excerpt(className)}`,
  );
}

/** Decodes a sequential model; old files have a list of layers instead of settings. */
function decodeSequential(config: unknown, source: string): Topology {
  const { layers, name } = isRecord(config) ? config : { layers: config };
  const readers = readLayers(layers, source);
  const [first] = readers;
  const chain = new Map<string, Layer>();
  let last: LayerResult | undefined;
  if (first !== undefined && first.className !== "InputLayer") {
    const shape = first.value("batch_input_shape") ?? first.value("batch_shape");
    const input = `${first.layer}_input`;
    const settings = { name: input, batch_input_shape: shape, dtype: inputType(first) };
    chain.set(input, { config: new ConfigReader(source, "InputLayer", settings), calls: [[]] });
    last = { layer: input, call: 0 };
  }
  for (const reader of readers) {
    addLayer(chain, { config: reader, calls: [last === undefined ? [] : [last]] }, source);
    last = { layer: reader.layer, call: 0 };
  }
  if (last === undefined) throw formatError(source, "a model must have layers: it has none");
  const [input = ""] = chain.keys();
  return { name: nameOf(name), layers: chain, inputs: [{ layer: input, call: 0 }], outputs: [last] };
}

function inputType(first: ConfigReader): string {
  return first.className === "Embedding" ? "int32" : first.text("dtype", "float32");
}

function decodeFunctional(config: unknown, source: string): Topology {
  const settings = isRecord(config) ? config : {};
  const layers = new Map<string, Layer>();
  const entries: readonly unknown[] = Array.isArray(settings["layers"]) ? settings["layers"] : [];
  const readers = readLayers(entries, source);
  for (const [i, reader] of readers.entries()) {
    const entry = entries[i];
    const inbound = isRecord(entry) ? entry["inbound_nodes"] : undefined;
    const calls = (Array.isArray(inbound) ? inbound : []).map((call: unknown) => decodeCall(call, source));
    addLayer(layers, { config: reader, calls: calls.length === 0 ? [[]] : calls }, source);
  }
  return {
    name: nameOf(settings["name"]),
    layers,
    inputs: decodeResults(settings["input_layers"], source),
    outputs: decodeResults(settings["output_layers"], source),
  };
}

const nameOf = (name: unknown): string => (typeof name === "string" ? name : "model");

function readLayers(layers: unknown, source: string): ConfigReader[] {
  if (!Array.isArray(layers) || layers.length > MAX_LAYERS) {
    throw formatError(source, `a topology must list at most ${MAX_LAYERS} layers: it does not`);
  }
  return layers.map((layer: unknown) => {
    const { class_name: className, config } = isRecord(layer) ? layer : {};
    if (typeof className !== "string")
      throw formatError(source, "every layer must have a class: one has none");
    return new ConfigReader(source, className, config);
  });
}

function addLayer(layers: Map<string, Layer>, layer: Layer, source: string): void {
  const { layer: name } = layer.config;
  if (layers.has(name)) throw formatError(source, `names of layers must differ: "${name}" is there twice`);
  layers.set(name, layer);
}

function decodeCall(call: unknown, source: string): LayerResult[] {
  if (Array.isArray(call)) return call.map((result: unknown) => decodeResult(result, source));
  throw formatError(source, "inbound_nodes must be lists of layers: they are not");
}

/** Decodes one result, or a list of results. */
function decodeResults(results: unknown, source: string): LayerResult[] {
  const list: readonly unknown[] = Array.isArray(results) ? results : [];
  const all = typeof list[0] === "string" ? [list] : list;
  if (all.length > 0) return all.map((result) => decodeResult(result, source));
  throw formatError(source, "a functional model must list its input_layers and output_layers: it does not");
}

function decodeResult(result: unknown, source: string): LayerResult {
  const [layer, call, tensor]: readonly unknown[] = Array.isArray(result) ? result : [];
  if (typeof layer === "string" && Number.isSafeInteger(call) && tensor === 0) {
    return { layer, call: call as number };
  }
  throw formatError(source, `layers must be connected as [name, call, 0]: got ${excerpt(result)}`);
}

function formatError(source: string, problem: string): FormatError {
  return new FormatError(`Cannot read "${source}" as ${problem}`, { format: "layers-model" });
}
