import {
  at,
  blendInto,
  type Checkpoint,
  createCheckpoint,
  createTensor,
  DTYPES,
  sizeOf,
  type Tensor,
} from "@isthmus/core";
import type { Graph } from "@isthmus/graph";

/**
 * Returns the mean of networks of a graph in f32, from sums in f64 that are rounded once; tensors of whole
 * numbers are the first network's.
 * @param networks - at least one, each with all weights of the graph
 */
export async function meanOfNetworks(
  { weights }: Pick<Graph, "weights">,
  networks: readonly Checkpoint[],
): Promise<Checkpoint> {
  const mean = new Map<string, Tensor>();
  for (const name of weights.keys()) {
    const parts = await Promise.all(networks.map((network) => network.read(name)));
    mean.set(name, DTYPES[at(parts, 0, "network").dtype].float ? meanOfTensors(parts) : at(parts, 0));
  }
  return createCheckpoint(mean, {}, "the mean of networks");
}

function meanOfTensors(parts: readonly Tensor[]): Tensor {
  const { shape } = at(parts, 0, "tensor");
  const data = new Float64Array(sizeOf(shape));
  const once = parts.map(() => 1);
  blendInto(parts, once, { dtype: "f64", data });
  return createTensor(
    "f32",
    shape,
    Float32Array.from(data, (sum) => sum / parts.length),
  );
}
