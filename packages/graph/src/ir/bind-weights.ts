import {
  type Checkpoint,
  convertData,
  formatShape,
  MismatchError,
  sameShape,
  type Tensor,
} from "@isthmus/core";
import type { Graph } from "./graph.ts";
import { isKnownBuffer } from "./known-buffers.ts";
import { listNames } from "./list-names.ts";

/**
 * Reads from a checkpoint every weight a graph expects, in the graph's element types. Tensors of the
 * checkpoint that the graph does not use are not read.
 * @throws MismatchError if weights are missing or have another shape; the message names them
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { bindWeights, readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const checkpoint = await openCheckpoint("examples/mnist-mlp/s0.safetensors"); // in f16
 * const weights = await bindWeights(graph, checkpoint); // in f32, as the graph computes
 * assert(weights.get("layers.0.bias")?.data instanceof Float32Array);
 * await checkpoint.close();
 * ```
 */
export async function bindWeights(graph: Graph, checkpoint: Checkpoint): Promise<Map<string, Tensor>> {
  assertBindable(graph, checkpoint);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype }] of graph.weights) {
    const tensor = await checkpoint.read(name);
    const data = tensor.dtype === dtype ? tensor.data : convertData(tensor.data, tensor.dtype, dtype);
    tensors.set(name, { dtype, shape: tensor.shape, data });
  }
  return tensors;
}

/**
 * Checks that a checkpoint is a network of a graph: it has every weight that the graph expects, and no other
 * floating-point tensors except known buffers. An unread tensor may have been folded into other tensors at
 * export, whose values then differ from what their names suggest.
 * @throws MismatchError if weights are missing, have another shape, or tensors are not read; the message
 *   names them
 */
export function assertNetwork(graph: Graph, checkpoint: Checkpoint): void {
  assertBindable(graph, checkpoint);
  const unread = [...checkpoint.tensors.keys()].filter(
    (name) => !graph.weights.has(name) && !isKnownBuffer(checkpoint, name),
  );
  if (unread.length === 0) return;
  throw new MismatchError(
    `Cannot feed "${checkpoint.source}" to graph "${graph.name}" as it must read every floating-point tensor: ${unread.length} of ${checkpoint.tensors.size} are not read, ${listNames(unread.map((name) => `"${name}"`))}; if an exporter changed them, name the checkpoint that the graph was exported from with --exported-from, and leave out what it truly does not read with --unread keep (in a script: bindArchitecture(architecture, checkpoints))`,
    { parameters: unread, input: checkpoint.source },
  );
}

/**
 * Checks that a checkpoint has every weight a graph expects, in the same shape.
 * @throws MismatchError if weights are missing or have another shape; the message names them
 */
export function assertBindable(graph: Graph, checkpoint: Checkpoint): void {
  const missing = [...graph.weights.keys()].filter((name) => !checkpoint.tensors.has(name));
  if (missing.length > 0) {
    const names = listNames(missing.map((name) => `"${name}"`));
    throw new MismatchError(
      `Cannot feed "${checkpoint.source}" to graph "${graph.name}" as it lacks ${missing.length} of ${graph.weights.size} weights: ${names}; if an exporter renamed them, name the checkpoint that the graph was exported from with --exported-from (in a script: bindArchitecture(architecture, checkpoints))`,
      { parameters: missing, input: checkpoint.source },
    );
  }
  for (const [name, { shape }] of graph.weights) {
    const got = checkpoint.tensors.get(name)?.shape ?? [];
    if (sameShape(got, shape)) continue;
    // With equal ranks they may be networks of one kind with different widths, which no permutation can
    // align.
    const advice =
      got.length === shape.length ? "; networks of different widths are joined by isthmus fuse" : "";
    throw new MismatchError(
      `Cannot feed "${name}" of "${checkpoint.source}" to graph "${graph.name}" as shapes must be equal: the graph has ${formatShape(shape)}, the checkpoint ${formatShape(got)}${advice}`,
      { parameters: [name], input: checkpoint.source },
    );
  }
}
