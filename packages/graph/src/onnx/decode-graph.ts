import {
  FormatError,
  InputError,
  recognizeFile,
  type Tensor,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import { intAttribute } from "../ir/attributes.ts";
import { capturedNames } from "../ir/captured-names.ts";
import type { Graph, Node, ValueInfo, WeightInfo } from "../ir/graph.ts";
import { lowerSequences } from "../lower/lower-sequences.ts";
import { withDecodedLoss } from "../scoring/score-by.ts";
import { assertConnected, assertExtents } from "./assert-graph.ts";
import { chooseDataInputs } from "./choose-data-inputs.ts";
import { decodeMessage } from "./decode-message.ts";
import { decodeInitializers, decodeNodes, decodeValueInfo, ownDomain } from "./decode-node.ts";
import { findTrained } from "./find-trained.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { LOSS, PRODUCER, SCORED } from "./producer.ts";
import { MODEL, type ModelProto } from "./schema.ts";
import { shareCopies } from "./share-copies.ts";
import type { ExternalReader } from "./tensor-proto.ts";

/**
 * A graph that was read from a file, and the weights that the file contains: empty if the weights are inputs.
 */
export interface DecodedGraph {
  /** Graph whose weights are inputs. */
  readonly graph: Graph;
  /** Values of weights in the file, by the names of the weights. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Options of {@link decodeGraph}. */
export interface DecodeGraphOptions {
  /** Name of the file for messages. */
  readonly source?: string;
  /** Names of the data inputs, if the rule of {@link decodeGraph} would choose wrongly. */
  readonly inputs?: readonly string[];
  /** Reads tensors stored beside the model. */
  readonly readExternal?: ExternalReader;
}

/**
 * Decodes an ONNX model.
 *
 * Weights that the file contains become inputs and are returned beside the graph: floating-point initializers
 * of more than one element except scales of `Resize` and tables (see `findTables`), and initializers of one
 * element that are a trained operand of an operator. In models that `encodeGraph` made, weights are already
 * inputs, so that initializers are constants.
 *
 * Inputs with a symbolic extent or an integer type, and inputs that are used as data and not as weights, are
 * data; see `chooseDataInputs`. All other inputs are weights.
 *
 * The graph computes the same as the file, in operators that all packages support: calls of local functions
 * are replaced by their nodes, sequences of tensors by tensors (see `lowerSequences`), and operators in
 * training mode by operators in inference (see `readAsInference`). Symmetries, runs, gradients and saved
 * files refer to this graph; values keep their names.
 * @throws FormatError if the bytes are not an ONNX model or its graph is inconsistent
 * @throws InputError if `options.inputs` names a value that is not an input
 * @throws UnsupportedError if the model needs sparse tensors, functions of another operator set or
 *   unsupported element types
 */
export function decodeGraph(bytes: Uint8Array, options: DecodeGraphOptions = {}): DecodedGraph {
  const source = options.source ?? "ONNX model";
  const context = { source, readExternal: options.readExternal ?? refuseExternal };
  const model = decodeModel(bytes, source);
  const proto = model.graph ?? {};
  const isOwn = model.producerName === PRODUCER;
  const carried = {
    nodes: decodeNodes(proto.node ?? [], context),
    tensors: decodeInitializers(proto, context),
  };
  const { nodes, tensors } = isOwn ? carried : shareCopies(carried);
  const inputs = (proto.input ?? [])
    .filter(({ name = "" }) => !carried.tensors.has(name))
    .map(decodeValueInfo);
  const trained = isOwn ? new Set<string>() : findTrained(tensors, nodes);
  const embedded = new Map([...tensors].filter(([name]) => trained.has(name)));
  const dataInputs = new Set(options.inputs ?? chooseDataInputs({ inputs, nodes, carried: embedded.size }));
  assertInputs(dataInputs, inputs, source);
  const graph: Graph = {
    name: proto.name ?? "",
    opsets: new Map(
      (model.opsetImport ?? []).map(({ domain, version }) => [ownDomain(domain), version ?? 1]),
    ),
    inputs: inputs.filter(({ name }) => dataInputs.has(name)),
    weights: collectWeights(
      inputs
        .filter(({ name }) => !dataInputs.has(name))
        .map((input) => [input.name, infoOfInput(input, source)]),
      embedded,
      nodes,
    ),
    constants: new Map([...tensors].filter(([name]) => !trained.has(name))),
    nodes,
    outputs: (proto.output ?? []).map(decodeValueInfo),
    ...(isOwn ? scoredOf(model) : {}),
  };
  assertConnected(graph, source);
  assertExtents(graph, source);
  if (!isOwn) return { graph: lowerSequences(readAsInference(graph)), weights: embedded };
  return { graph: withDecodedLoss(graph, metadataOf(model, LOSS)), weights: embedded };
}

/** Reads the name of the scored value, if one was chosen before the graph was encoded. */
function scoredOf(model: ModelProto): Pick<Graph, "scored"> {
  const scored = metadataOf(model, SCORED);
  return scored === undefined ? {} : { scored };
}

function metadataOf({ metadataProps = [] }: ModelProto, name: string): string | undefined {
  return metadataProps.find(({ key }) => key === name)?.value;
}

function collectWeights(
  fed: readonly (readonly [string, TensorInfo])[],
  embedded: ReadonlyMap<string, TensorInfo>,
  nodes: readonly Node[],
): Map<string, WeightInfo> {
  const statistics = statisticNames(nodes);
  const weights = new Map<string, WeightInfo>();
  for (const [name, { dtype, shape }] of [...fed, ...embedded]) {
    weights.set(name, { dtype, shape, role: statistics.has(name) ? "statistic" : "parameter" });
  }
  return weights;
}

function decodeModel(bytes: Uint8Array, source: string): ModelProto {
  let model: ModelProto;
  try {
    model = decodeMessage<ModelProto>(MODEL, bytes);
  } catch (cause) {
    throw notModel(source, describeContent(bytes) ?? `its bytes are not: ${(cause as Error).message}`, cause);
  }
  if (model.graph === undefined || (model.graph.node ?? []).length === 0) {
    throw notModel(source, describeContent(bytes) ?? "it has no graph with nodes");
  }
  if ((model.graph.sparseInitializer ?? []).length > 0) {
    throw new UnsupportedError(
      `Cannot read "${source}" as sparse initializers are not handled: export it again with dense weights`,
      { feature: "sparse initializers" },
    );
  }
  return inlineFunctions(model, source);
}

function notModel(source: string, content: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read "${source}" as it must be an ONNX model: ${content}`, {
    format: "onnx",
    cause,
  });
}

/**
 * Describes a file that is recognised as a file of another kind, with advice for checkpoints; undefined for
 * other files.
 */
function describeContent(bytes: Uint8Array): string | undefined {
  const kind = recognizeFile(bytes);
  if (kind === undefined || kind === "an ONNX graph") return undefined;
  const isCheckpoint = /checkpoint|torch/.test(kind);
  return `it is ${kind}${isCheckpoint ? "; give it as a checkpoint, and name an .onnx file as the graph" : ""}`;
}

const refuseExternal: ExternalReader = (location) => {
  throw new FormatError(
    `Cannot read external data "${location}" as the model was given as bytes: open it by its path instead`,
    { format: "onnx" },
  );
};

function assertInputs(chosen: ReadonlySet<string>, inputs: readonly ValueInfo[], source: string): void {
  const names = new Set<string>();
  for (const { name } of inputs) {
    if (names.has(name)) {
      throw new FormatError(
        `Cannot read "${source}" as the name "${name}" must stand for one value: two inputs have it`,
        { format: "onnx" },
      );
    }
    names.add(name);
  }
  const unknown = [...chosen].find((name) => !names.has(name));
  if (unknown === undefined) return;
  throw new InputError(
    `Cannot take "${unknown}" for a data input of "${source}" as it must be an input of the graph: they are ${[...names].join(", ")}`,
    { input: unknown },
  );
}

function infoOfInput(input: ValueInfo, source: string): TensorInfo {
  const shape = input.shape?.filter((extent) => typeof extent === "number");
  if (
    input.dtype === undefined ||
    shape === undefined ||
    shape.length !== input.shape?.length ||
    !shape.every(Number.isSafeInteger)
  ) {
    throw new FormatError(
      `Cannot read "${source}" as weight "${input.name}" must state its element type and shape: name the data inputs if it is one`,
      { format: "onnx" },
    );
  }
  return { dtype: input.dtype, shape };
}

/** Lists the means and variances of batch norms, which are measured rather than trained. */
function statisticNames(nodes: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const { op, inputs } of nodes) {
    if (op === "BatchNormalization") for (const name of inputs.slice(3, 5)) names.add(name);
  }
  return names;
}

/**
 * Returns the graph in inference mode: dropouts pass all elements on, and batch norms use the running
 * statistics among their inputs.
 *
 * An exporter may write a network in training mode (`TrainingMode.TRAINING` of PyTorch). Networks are
 * compared by their results in use, and a training step sets the mode of norms and dropouts itself. A batch
 * norm whose new running statistics are read by another node stays unchanged.
 */
function readAsInference(graph: Graph): Graph {
  const read = new Set([
    ...graph.outputs.map(({ name }) => name),
    ...graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]),
  ]);
  const nodes = graph.nodes.map((node) => {
    const isPlain = node.domain === "" && !node.outputs.slice(1).some((name) => read.has(name));
    return isPlain ? withoutTraining(node) : node;
  });
  return { ...graph, nodes };
}

function withoutTraining(node: Node): Node {
  // Ratio and mode are the second and third input; without a mode, nothing is dropped.
  if (node.op === "Dropout" && node.inputs.length > 2) return { ...node, inputs: node.inputs.slice(0, 2) };
  if (node.op !== "BatchNormalization" || intAttribute(node, "training_mode", 0) === 0) return node;
  const attributes = new Map(node.attributes);
  attributes.delete("training_mode");
  return { ...node, outputs: node.outputs.slice(0, 1), attributes };
}
