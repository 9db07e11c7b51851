import { type Checkpoint, createCheckpoint, DTYPES, type Tensor, UnsupportedError } from "@isthmus/core";
import type { Weights } from "./place-copy.ts";

/**
 * Reads all weights of a network into memory.
 * @throws UnsupportedError if a weight has fewer than 32 bits, as sums of halves would not be exact
 */
export async function readWeights(network: Checkpoint): Promise<Weights> {
  const weights = new Map<string, Tensor>();
  for (const [name, { dtype }] of network.tensors) {
    if (DTYPES[dtype].float && dtype !== "f32" && dtype !== "f64") {
      throw new UnsupportedError(
        `Cannot build a path from "${network.source}" as its weights must be f32 or f64: "${name}" is ${dtype}; convert it and its graph first`,
        { feature: dtype },
      );
    }
    weights.set(name, await network.read(name));
  }
  return weights;
}

/** Makes a checkpoint of weights in memory. */
export function checkpointOf(weights: Weights, source: string): Checkpoint {
  return createCheckpoint(weights, {}, source);
}
