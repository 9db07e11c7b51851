import { type Checkpoint, type Tensor, viewBytes } from "@isthmus/core";
import { createHash, encodeUtf8 } from "@isthmus/platform";
import type { DataSet } from "./data-set.ts";
import type { Graph } from "./ir/graph.ts";
import { encodeGraph } from "./onnx/encode-graph.ts";

/** Maximum number of examples of a data set that are hashed. */
const SAMPLED_EXAMPLES = 256;
/** Number of characters of a fingerprint. */
const LENGTH = 32;

/** Computes a hash that identifies a graph: of the graph as an ONNX file, in hexadecimal. */
export function fingerprintGraph(graph: Graph): string {
  return fingerprint([encodeGraph(graph)]);
}

/**
 * Computes a hash that identifies a network: of the weights that a graph reads from
 * a checkpoint, in hexadecimal.
 * @throws MismatchError if a weight is missing
 */
export async function fingerprintWeights(graph: Graph, weights: Checkpoint): Promise<string> {
  const hash = createHash("sha256");
  for (const name of graph.weights.keys()) hash.update(viewBytes((await weights.read(name)).data));
  return hash.digest("hex").slice(0, LENGTH);
}

/**
 * Computes a hash that identifies a data set: of examples at even distances with
 * their labels, in hexadecimal.
 */
export function fingerprintData(data: DataSet): string {
  const stride = Math.max(1, Math.floor(data.size / SAMPLED_EXAMPLES));
  const samples: Uint8Array[] = data.labelling === undefined ? [] : [encodeUtf8(data.labelling)];
  for (let example = 0; example < data.size; example += stride) {
    const { inputs, features = new Map<string, Tensor>(), labels } = data.read(example, example + 1);
    samples.push(
      viewBytes(inputs.data),
      ...[...features.values()].map(({ data: values }) => viewBytes(values)),
    );
    samples.push(viewBytes(labels));
  }
  return fingerprint(samples);
}

function fingerprint(parts: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, LENGTH);
}
