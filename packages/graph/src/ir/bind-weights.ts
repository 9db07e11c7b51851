import {
  type Checkpoint,
  convertData,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import type { Graph, WeightInfo } from "./graph.ts";
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
  for (const [name, info] of graph.weights) tensors.set(name, await bindWeight(checkpoint, name, info));
  return tensors;
}

/** Reads one weight that a graph expects from a checkpoint, in the graph's element type. */
export async function bindWeight(
  checkpoint: Checkpoint,
  name: string,
  { dtype }: WeightInfo,
): Promise<Tensor> {
  const { data, shape, dtype: stored } = await checkpoint.read(name);
  return { dtype, shape, data: stored === dtype ? data : convertData(data, stored, dtype) };
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
    assertSameKind(graph, checkpoint);
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

/**
 * Checks that a checkpoint which lacks weights of a graph is not of another network altogether: its tensors
 * of the other names then have as many numbers as the graph's weights.
 * @throws MismatchError if it lacks some weights, and others have another number of numbers
 */
export function assertSameKind(graph: Graph, checkpoint: Checkpoint): void {
  const missing = [...graph.weights.keys()].filter((name) => !checkpoint.tensors.has(name));
  const unlike = [...graph.weights].filter(([name, { shape }]) => {
    const got = checkpoint.tensors.get(name);
    return got !== undefined && sizeOf(got.shape) !== sizeOf(shape);
  });
  const [first] = unlike;
  if (missing.length === 0 || first === undefined) return;
  const [name, { shape }] = first;
  throw new MismatchError(
    `Cannot feed "${checkpoint.source}" to graph "${graph.name}" as it is another network than the graph's: it lacks ${missing.length} of ${graph.weights.size} weights, and ${unlike.length} have other shapes, such as "${name}", ${formatShape(shape)} in the graph and ${formatShape(checkpoint.tensors.get(name)?.shape ?? [])} in the checkpoint; name the graph of this network with --graph`,
    { parameters: [...missing, ...unlike.map(([other]) => other)], input: checkpoint.source },
  );
}
