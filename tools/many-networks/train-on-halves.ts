import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, createRandom, openCheckpoint, saveCheckpoint, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet, Engine } from "@isthmus/graph";
import { train } from "@isthmus/training";
import type { Network } from "@isthmus/zoo";

/** What networks are trained with. */
export interface HalvesTraining {
  readonly network: Pick<Network, "graph" | "initialize">;
  readonly engine: Engine;
  readonly epochs: number;
  /** Examples in a step. @defaultValue that of `train` */
  readonly batch?: number;
  readonly folder: string;
}

/** Draws a random half of the examples of a data set, in their order. */
export function randomHalf(data: DataSet, seed: number): DataSet {
  const { inputs, labels } = data.read(0, data.size);
  const order = createRandom(seed, "half of the examples").shuffleInPlace(
    Int32Array.from({ length: data.size }, (_, i) => i),
  );
  const places = order.slice(0, Math.floor(data.size / 2)).sort();
  const row = inputs.data.length / data.size;
  const selected = new Float32Array(places.length * row);
  places.forEach((place, i) => {
    selected.set((inputs.data as Float32Array).subarray(place * row, (place + 1) * row), i * row);
  });
  const tensor: Tensor = { dtype: "f32", shape: [places.length, ...data.exampleShape], data: selected };
  return createDataSet(
    tensor,
    places.map((place) => labels[place] as number),
    { name: `half ${seed} of ${data.name}`, classes: data.classes },
  );
}

/** Trains a network of a seed, unless its file is there. */
export async function trainOnce(
  { network, engine, epochs, batch, folder }: HalvesTraining,
  { name, data, seed }: { readonly name: string; readonly data: DataSet; readonly seed: number },
): Promise<Checkpoint> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.safetensors`);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const { weights } = await train({ graph: network.graph, engine }, network.initialize(seed), data, {
      seed,
      epochs,
      ...(batch !== undefined && { batch }),
      optimizer: { kind: "adam" },
    });
    await saveCheckpoint(weights, path);
    process.stderr.write(`trained ${name}\n`);
  }
  return openCheckpoint(path);
}
