import { FormatError, isInside, readFileBytes, readFileRangeSync } from "@isthmus/core";
import { basename, dirname, resolve } from "@isthmus/platform";
import { type DecodedGraph, type DecodeGraphOptions, decodeGraph } from "./decode-graph.ts";
import type { ExternalReader } from "./tensor-proto.ts";

/** Largest size of a protobuf message, 2 GiB: a longer file is not an ONNX model. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * Maximum number of tensors that may be stored in the same bytes of a file, on average over all bytes that
 * are read.
 */
const MAX_SHARING = 4;

/** Names that exporters give every graph, which do not identify it. */
const NAMELESS: ReadonlySet<string> = new Set([
  "",
  "main_graph",
  "main",
  "graph",
  "torch_jit",
  "torch-jit-export",
]);

/**
 * Reads an ONNX file, and tensors stored in files beside it. A graph without a distinct
 * name is named after its file.
 * @throws InputError if the file, or a file that it points to, does not exist
 * @throws FormatError, UnsupportedError as {@link decodeGraph}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * assert.deepEqual(graph.weights.get("layers.0.weight")?.shape, [512, 784]);
 * ```
 */
export async function readGraph(
  path: string,
  options: Omit<DecodeGraphOptions, "source" | "readExternal"> = {},
): Promise<DecodedGraph> {
  const bytes = await readFileBytes(path, MAX_MODEL_BYTES);
  const decoded = decodeGraph(bytes, { ...options, source: path, readExternal: externalReaderBeside(path) });
  const { graph } = decoded;
  return NAMELESS.has(graph.name) ? { ...decoded, graph: { ...graph, name: basename(path) } } : decoded;
}

function externalReaderBeside(path: string): ExternalReader {
  const folder = resolve(dirname(path));
  const taken = new Map<string, { bytes: number; end: number }>();
  return (location, offset, length) => {
    const file = resolve(folder, location);
    if (file === folder || !isInside(folder, file)) {
      throw new FormatError(
        `Cannot read external data of "${path}" as it must lie in the model's folder: it points to "${location}"`,
        { format: "onnx" },
      );
    }
    const bytes = readFileRangeSync(file, offset, length);
    const sum = taken.get(file) ?? { bytes: 0, end: 0 };
    taken.set(file, { bytes: sum.bytes + length, end: Math.max(sum.end, offset + length) });
    // A small model must not fill the memory by repeating the same few bytes.
    if (sum.bytes + length <= MAX_SHARING * Math.max(sum.end, offset + length)) return bytes;
    throw new FormatError(
      `Cannot read external data of "${path}" as at most ${MAX_SHARING} tensors may share the bytes of a file: more do in "${location}"`,
      { format: "onnx" },
    );
  };
}
