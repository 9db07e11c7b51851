import { type Checkpoint, createCheckpoint, createTensor, entry } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { type Alignment, permute, type SymmetricArchitecture } from "@isthmus/symmetry";
import type { Doubles } from "./stream-frame.ts";

/** Permutes a network of the frame. */
export async function permuteFramed(
  { graph, symmetries: { spec } }: SymmetricArchitecture,
  alignment: Alignment,
  network: Doubles,
): Promise<Doubles> {
  const moved = permute(alignment, toCheckpoint(graph, network, "f64"), spec);
  const result: Doubles = new Map();
  for (const name of graph.weights.keys()) result.set(name, (await moved.read(name)).data as Float64Array);
  return result;
}

/** Makes a checkpoint of a network of the frame. */
export function toCheckpoint({ weights }: Graph, network: Doubles, dtype: "f32" | "f64"): Checkpoint {
  return createCheckpoint(
    new Map(
      [...weights].map(([name, { shape }]) => {
        const values = entry(network, name, "weight");
        return [name, createTensor(dtype, shape, dtype === "f64" ? values : Float32Array.from(values))];
      }),
    ),
  );
}
