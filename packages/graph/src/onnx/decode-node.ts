import { FormatError, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Attribute, Graph, Node, NodeOrigin, ValueInfo } from "../ir/graph.ts";
import type { AttributeProto, DimensionProto, GraphProto, NodeProto, ValueInfoProto } from "./schema.ts";
import { decodeTensor, dtypeOfCode, type ExternalReader } from "./tensor-proto.ts";

/** Context for decoding the parts of a model. */
export interface DecodeContext {
  /** Name of the file for messages. */
  readonly source: string;
  /** Reads tensors that are stored beside the model. */
  readonly readExternal: ExternalReader;
}

/** Decodes nodes with their attributes and subgraphs, and gives every node a unique name. */
export function decodeNodes(protos: readonly NodeProto[], context: DecodeContext): Node[] {
  return nameNodes(protos.map((node) => decodeNode(node, context)));
}

/**
 * Decodes the initializers of a graph, by name.
 * @throws FormatError if two have the same name
 */
export function decodeInitializers(proto: GraphProto, context: DecodeContext): Map<string, Tensor> {
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

/**
 * Decodes the name, element type and extents of an input or output; type and extents are absent if
 * the model does not state them.
 */
export function decodeValueInfo(proto: ValueInfoProto): ValueInfo {
  const dtype = dtypeOfCode(proto.type?.tensor?.elemType ?? 0);
  const dims = proto.type?.tensor?.shape === undefined ? undefined : (proto.type.tensor.shape.dim ?? []);
  return {
    name: proto.name ?? "",
    ...(dtype === undefined ? {} : { dtype }),
    ...(dims === undefined ? {} : { shape: dims.map(decodeExtent) }),
  };
}

/** Decodes an extent; some exporters write -1 for an unknown extent. */
function decodeExtent({ value, param }: DimensionProto, axis: number): number | string {
  return value === undefined || value < 0 ? param || `d${axis}` : value;
}

/** Returns the domain of an operator set, `""` for both names of ONNX's own. */
export function ownDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

function decodeNode(proto: NodeProto, context: DecodeContext): Node {
  const origin = decodeOrigin(proto);
  return {
    name: proto.name ?? "",
    op: proto.opType ?? "",
    domain: ownDomain(proto.domain),
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributes: new Map((proto.attribute ?? []).map((attribute) => decodeAttribute(attribute, context))),
    ...(origin === undefined ? {} : { origin }),
  };
}

/** Metadata key under which PyTorch's default exporter records the call from which a node was made. */
const CALL = "pkg.torch.onnx.fx_node";

/** Pattern of names of parameters, buffers and constants among the operands of a recorded call. */
const PARAMETER = /%([pbc]_\w+)/g;

/**
 * Reads the call from which a node was made, with a record such as
 * `call_function[target=torch.ops.aten.linear.default](args = (%x, %p_weight))`.
 */
function decodeOrigin({ metadataProps = [] }: NodeProto): NodeOrigin | undefined {
  const call = metadataProps.find(({ key }) => key === CALL)?.value;
  const operator = call?.match(/target=torch\.ops\.([\w.]+)/)?.[1];
  if (call === undefined || operator === undefined) return undefined;
  const operands = call.slice(call.indexOf("(args"));
  return { operator, parameters: [...operands.matchAll(PARAMETER)].map(([, name = ""]) => name) };
}

/** Gives every node a unique name. */
function nameNodes(nodes: readonly Node[]): Node[] {
  const taken = new Set<string>();
  const copies = new Map<string, number>();
  return nodes.map((node) => {
    const [output = ""] = node.outputs;
    const base = node.name || `${node.op}:${output}`;
    let name = base;
    while (taken.has(name)) {
      const copy = (copies.get(base) ?? 1) + 1;
      copies.set(base, copy);
      name = `${base}#${copy}`;
    }
    taken.add(name);
    return name === node.name ? node : { ...node, name };
  });
}

function decodeAttribute(proto: AttributeProto, context: DecodeContext): [string, Attribute] {
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

/** Decodes a branch or loop body, which may use values of the graph around it. */
function decodeSubgraph(proto: GraphProto, context: DecodeContext): Graph {
  return {
    name: proto.name ?? "",
    opsets: new Map(),
    inputs: (proto.input ?? []).map(decodeValueInfo),
    weights: new Map(),
    constants: decodeInitializers(proto, context),
    nodes: decodeNodes(proto.node ?? [], context),
    outputs: (proto.output ?? []).map(decodeValueInfo),
  };
}
