import { type Checkpoint, createCheckpoint, createTensor, DTYPES, entry, toFloat64 } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { moveGainsInPlace } from "@isthmus/symmetry";
import type { WidthSide } from "./width-pair.ts";

/** Floating-point weights of a network in f64, by the names of its graph. */
export type Doubles = Map<string, Float64Array>;

/** Reads all floating-point weights of a network, statistics of norms included. */
export async function readDoubles({ weights }: Graph, network: Checkpoint): Promise<Doubles> {
  const values: Doubles = new Map();
  for (const [name, { dtype }] of weights) {
    if (!DTYPES[dtype].float) continue;
    const tensor = await network.read(name);
    values.set(name, toFloat64(tensor.data, tensor.dtype).slice());
  }
  return values;
}

/**
 * Reads a network with gains of 1 in front of whatever reads its streams: gains are moved into the weights
 * that read the norms, so that streams may be mixed.
 *
 * @throws UnsupportedError if an element of a gain is 0, which the message names
 */
export async function readFramed(
  { graph, continuous: { linear, mixing } }: WidthSide,
  network: Checkpoint,
): Promise<Doubles> {
  const values = await readDoubles(graph, network);
  moveGainsInPlace(values, linear.scales, mixing, new Map());
  return values;
}

/** Makes a checkpoint of weights; weights of whole numbers are taken from a network. */
export async function checkpointOf(
  { weights }: Graph,
  values: Doubles,
  dtype: "f32" | "f64",
  like: Checkpoint,
): Promise<Checkpoint> {
  const tensors = new Map<string, ReturnType<typeof createTensor>>();
  for (const [name, { shape, dtype: stored }] of weights) {
    if (!DTYPES[stored].float) {
      tensors.set(name, await like.read(name));
      continue;
    }
    const data = entry(values, name, "weight");
    tensors.set(name, createTensor(dtype, shape, dtype === "f64" ? data : Float32Array.from(data)));
  }
  return createCheckpoint(tensors);
}
