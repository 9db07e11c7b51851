import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import type { DataSet, Engine } from "@isthmus/graph";
import { train } from "@isthmus/training";
import type { Network } from "@isthmus/zoo";
import { selectClasses } from "./class-halves.ts";

/** The classes that each network is trained on. */
export const HALVES: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4],
  [5, 6, 7, 8, 9],
];

/** Trains a network for each half of the classes, from seeds of its own, unless its file is there. */
export async function trainHalves(
  {
    network,
    engine,
    epochs,
  }: { readonly network: Network; readonly engine: Engine; readonly epochs: number },
  data: DataSet,
  folder: string,
): Promise<Checkpoint[]> {
  await mkdir(folder, { recursive: true });
  const trained: Checkpoint[] = [];
  for (const [seed, classes] of HALVES.entries()) {
    const path = join(folder, `half-${seed}.safetensors`);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      const half = selectClasses(data, classes);
      const { weights } = await train({ graph: network.graph, engine }, network.initialize(seed), half, {
        seed,
        epochs,
        optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 5e-4 },
        schedule: { kind: "cosine", learningRate: 0.05, warmupSteps: 100 },
        onProgress: ({ done }) => process.stderr.write(`\rnetwork ${seed}: ${Math.round(100 * done)} %`),
      });
      await saveCheckpoint(weights, path);
    }
    trained.push(await openCheckpoint(path));
  }
  return trained;
}
