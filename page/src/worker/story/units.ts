import type { Checkpoint } from "@isthmus/core";

/** Weight of the first layer, whose rows are images: `[units, 784]`. */
export const FIRST_LAYER = "layers.0.weight";

/** Returns a copy of the weights of the first layer, `[units, 28, 28]`. */
export async function firstLayerOf(network: Checkpoint): Promise<Float32Array> {
  const { data } = await network.read(FIRST_LAYER);
  return Float32Array.from(data as Float32Array);
}
