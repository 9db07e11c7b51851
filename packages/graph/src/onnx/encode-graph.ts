import type { TensorInfo } from "@isthmus/core";
import type { Attribute, Graph, Node, ValueInfo } from "../ir/graph.ts";
import { encodeLoss } from "../scoring/score-by.ts";
import { encodeMessage } from "./encode-message.ts";
import { LOSS, PRODUCER, SCORED } from "./producer.ts";
import {
  type AttributeProto,
  type GraphProto,
  MODEL,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "./schema.ts";
import { codeOfDType, encodeTensor } from "./tensor-proto.ts";

/**
 * File format version; 8 is the first that supports everything that is written, and that every runtime of
 * recent years reads.
 */
const IR_VERSION = 8;

/**
 * Encodes a graph as an ONNX model: data inputs first, weights as further inputs, constants as initializers.
 * `decodeGraph` returns the same graph without its types.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeGraph, encodeGraph, readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * assert.equal(decodeGraph(encodeGraph(graph)).graph.nodes.length, graph.nodes.length);
 * ```
 */
export function encodeGraph(graph: Graph): Uint8Array {
  const { scored, loss } = graph;
  const metadataProps = [
    ...(scored === undefined ? [] : [{ key: SCORED, value: scored }]),
    ...(loss === undefined ? [] : [{ key: LOSS, value: encodeLoss(loss) }]),
  ];
  const model: ModelProto = {
    irVersion: IR_VERSION,
    producerName: PRODUCER,
    graph: encodeGraphProto(graph),
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    ...(metadataProps.length > 0 && { metadataProps }),
  };
  return encodeMessage(MODEL, model);
}

function encodeGraphProto(graph: Graph): GraphProto {
  const weights = [...graph.weights].map(([name, info]) => encodeValueInfo(infoOfWeight(name, info)));
  return {
    name: graph.name || "graph",
    node: graph.nodes.map(encodeNode),
    initializer: [...graph.constants].map(([name, tensor]) => encodeTensor(name, tensor)),
    input: [...graph.inputs.map(encodeValueInfo), ...weights],
    output: graph.outputs.map(encodeValueInfo),
  };
}

function infoOfWeight(name: string, { dtype, shape }: TensorInfo): ValueInfo {
  return { name, dtype, shape };
}

function encodeValueInfo({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  if (dtype === undefined) return { name };
  const elemType = codeOfDType(dtype);
  if (shape === undefined) return { name, type: { tensor: { elemType } } };
  const dim = shape.map((extent) => (typeof extent === "number" ? { value: extent } : { param: extent }));
  return { name, type: { tensor: { elemType, shape: { dim } } } };
}

function encodeNode(node: Node): NodeProto {
  return {
    name: node.name,
    opType: node.op,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes].map(([name, attribute]) => ({ name, ...encodeAttribute(attribute) })),
  };
}

function encodeAttribute(attribute: Attribute): AttributeProto {
  const text = new TextEncoder();
  switch (attribute.type) {
    case "float":
      return { type: 1, f: attribute.value };
    case "int":
      return { type: 2, i: attribute.value };
    case "string":
      return { type: 3, s: text.encode(attribute.value) };
    case "tensor":
      return { type: 4, t: encodeTensor("", attribute.value) };
    case "graph":
      return { type: 5, g: encodeGraphProto(attribute.value) };
    case "floats":
      return { type: 6, floats: [...attribute.value] };
    case "ints":
      return { type: 7, ints: [...attribute.value] };
    case "strings":
      return { type: 8, strings: attribute.value.map((value) => text.encode(value)) };
  }
}
