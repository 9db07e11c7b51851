import {
  DTYPES,
  FormatError,
  InputError,
  sizeOf,
  type Tensor,
  type TensorInfo,
  UnsupportedError,
} from "@isthmus/core";
import type { Attribute, Graph, Node, ValueInfo, WeightInfo } from "../ir/graph.ts";
import { assertConnected } from "./assert-connected.ts";
import { chooseDataInputs } from "./choose-data-inputs.ts";
import { decodeMessage } from "./decode-message.ts";
import { PRODUCER } from "./producer.ts";
import {
  type AttributeProto,
  type DimensionProto,
  type GraphProto,
  MODEL,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./schema.ts";
import { decodeTensor, dtypeOfCode, type ExternalReader } from "./tensor-proto.ts";

/** A graph as read from a file, and the weights the file carries: none, where its weights are inputs. */
export interface DecodedGraph {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Options of {@link decodeGraph}. */
export interface DecodeGraphOptions {
  /** Where the bytes came from, for messages. */
  readonly source?: string;
  /** Names of the data inputs, where the rule of {@link decodeGraph} would choose wrongly. */
  readonly inputs?: readonly string[];
  /** Reads tensors stored beside the model. */
  readonly readExternal?: ExternalReader;
}

interface Context {
  readonly source: string;
  readonly readExternal: ExternalReader;
}

/**
 * Decodes an ONNX model.
 *
 * Data inputs are those with a symbolic extent or of an integer type, and those that are used as data and not as weights; see
 * `chooseDataInputs`. All other inputs are weights, and so are floating-point initializers of more than
 * one element, scales of `Resize` aside, which become inputs and are returned beside the graph; not so in models that
 * `encodeGraph` made, whose weights are inputs already, so that their masks and tables stay constants.
 * @throws FormatError if the bytes are not an ONNX model or its graph is inconsistent
 * @throws InputError if `options.inputs` names what is not an input
 * @throws UnsupportedError if it needs sparse tensors, local functions or element types we lack
 */
export function decodeGraph(bytes: Uint8Array, options: DecodeGraphOptions = {}): DecodedGraph {
  const source = options.source ?? "ONNX model";
  const context = { source, readExternal: options.readExternal ?? refuseExternal };
  const model = decodeModel(bytes, source);
  const proto = model.graph ?? {};
  const nodes = nameNodes((proto.node ?? []).map((node) => decodeNode(node, context)));
  const tensors = decodeInitializers(proto, context);
  const inputs = (proto.input ?? []).filter((input) => !tensors.has(input.name ?? "")).map(decodeValueInfo);
  const ownWeights = model.producerName !== PRODUCER;
  const [embedded, constants] = [new Map<string, Tensor>(), new Map<string, Tensor>()];
  const factors = resizingFactors(nodes);
  for (const [name, tensor] of tensors) {
    const trained = ownWeights && isWeight(tensor) && !factors.has(name);
    (trained ? embedded : constants).set(name, tensor);
  }
  const dataInputs = new Set(
    options.inputs ?? chooseDataInputs({ inputs, nodes, carriesWeights: embedded.size > 0 }),
  );
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
    constants,
    nodes,
    outputs: (proto.output ?? []).map(decodeValueInfo),
  };
  assertConnected(graph, source);
  return { graph, weights: embedded };
}

/** Whole numbers are shapes and indices, single numbers are scales and epsilons: neither is trained. */
function isWeight({ dtype, shape }: TensorInfo): boolean {
  return DTYPES[dtype].float && sizeOf(shape) > 1;
}

/** Names of the regions and scales that nodes resize by: numbers of another kind than weights. */
function resizingFactors(nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(
    nodes.flatMap(({ op, inputs }) => (op === "Resize" || op === "Upsample" ? inputs.slice(1) : [])),
  );
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
    throw new FormatError(
      `Cannot read "${source}" as it must be an ONNX model: ${(cause as Error).message}`,
      {
        format: "onnx",
        cause,
      },
    );
  }
  if (model.graph === undefined || (model.graph.node ?? []).length === 0) {
    throw new FormatError(`Cannot read "${source}" as it must be an ONNX model: it has no graph with nodes`, {
      format: "onnx",
    });
  }
  const unsupported = (model.functions ?? []).length > 0 ? "local functions" : undefined;
  const sparse = (model.graph.sparseInitializer ?? []).length > 0 ? "sparse initializers" : undefined;
  const feature = unsupported ?? sparse;
  if (feature !== undefined) {
    throw new UnsupportedError(
      `Cannot read "${source}" as ${feature} are not handled: export it again without them (inline functions, dense weights)`,
      { feature },
    );
  }
  return model;
}

const refuseExternal: ExternalReader = (location) => {
  throw new FormatError(
    `Cannot read external data "${location}" as the model was given as bytes: open it by its path instead`,
    { format: "onnx" },
  );
};

function decodeInitializers(proto: GraphProto, context: Context): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const initializer of proto.initializer ?? []) {
    const name = initializer.name ?? "";
    if (tensors.has(name)) {
      throw new FormatError(
        `Cannot read "${context.source}" as every initializer must have a name of its own: "${name}" is there twice`,
        { format: "onnx" },
      );
    }
    tensors.set(name, decodeTensor(initializer, context.readExternal));
  }
  return tensors;
}

function decodeValueInfo(proto: ValueInfoProto): ValueInfo {
  const dtype = dtypeOfCode(proto.type?.tensor?.elemType ?? 0);
  const dims = proto.type?.tensor?.shape === undefined ? undefined : (proto.type.tensor.shape.dim ?? []);
  return {
    name: proto.name ?? "",
    ...(dtype === undefined ? {} : { dtype }),
    ...(dims === undefined ? {} : { shape: dims.map(decodeExtent) }),
  };
}

/** Some exporters write -1 for an extent that is not known. */
function decodeExtent({ value, param }: DimensionProto, axis: number): number | string {
  return value === undefined || value < 0 ? param || `d${axis}` : value;
}

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

/** Means and variances of batch norms are measured, not trained. */
function statisticNames(nodes: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const { op, inputs } of nodes) {
    if (op === "BatchNormalization") for (const name of inputs.slice(3, 5)) names.add(name);
  }
  return names;
}

/** ONNX's own operators have two names for their domain. */
function ownDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

function decodeNode(proto: NodeProto, context: Context): Node {
  return {
    name: proto.name ?? "",
    op: proto.opType ?? "",
    domain: ownDomain(proto.domain),
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: new Map((proto.attribute ?? []).map((attribute) => decodeAttribute(attribute, context))),
  };
}

/** Gives every node a name of its own. */
function nameNodes(nodes: readonly Node[]): Node[] {
  const taken = new Set<string>();
  const copies = new Map<string, number>();
  return nodes.map((node) => {
    const own = node.name || `${node.op}:${node.outputs[0] ?? ""}`;
    let name = own;
    while (taken.has(name)) {
      const copy = (copies.get(own) ?? 1) + 1;
      copies.set(own, copy);
      name = `${own}#${copy}`;
    }
    taken.add(name);
    return name === node.name ? node : { ...node, name };
  });
}

function decodeAttribute(proto: AttributeProto, context: Context): [string, Attribute] {
  const text = new TextDecoder();
  const name = proto.name ?? "";
  const of = (attribute: Attribute): [string, Attribute] => [name, attribute];
  switch (proto.type) {
    case 1:
      return of({ type: "float", value: proto.f ?? 0 });
    case 2:
      return of({ type: "int", value: proto.i ?? 0 });
    case 3:
      return of({ type: "string", value: text.decode(proto.s ?? new Uint8Array()) });
    case 4:
      return of({ type: "tensor", value: decodeTensor(proto.t ?? {}, context.readExternal) });
    case 5:
      return of({ type: "graph", value: decodeSubgraph(proto.g ?? {}, context) });
    case 6:
      return of({ type: "floats", value: proto.floats ?? [] });
    case 7:
      return of({ type: "ints", value: proto.ints ?? [] });
    case 8:
      return of({ type: "strings", value: (proto.strings ?? []).map((bytes) => text.decode(bytes)) });
    default:
      throw new UnsupportedError(
        `Cannot read attribute "${name}" of "${context.source}" as its type is not handled: got type ${proto.type ?? 0}`,
        { feature: `ONNX attribute type ${proto.type ?? 0}` },
      );
  }
}

/** A branch or loop body; it may use values of the graph around it. */
function decodeSubgraph(proto: GraphProto, context: Context): Graph {
  return {
    name: proto.name ?? "",
    opsets: new Map(),
    inputs: (proto.input ?? []).map(decodeValueInfo),
    weights: new Map(),
    constants: decodeInitializers(proto, context),
    nodes: nameNodes((proto.node ?? []).map((node) => decodeNode(node, context))),
    outputs: (proto.output ?? []).map(decodeValueInfo),
  };
}
