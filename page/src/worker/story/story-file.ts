import { type Checkpoint, describeMaking, type Making, saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { linear, merge } from "@isthmus/merging";
import { outputFile, unmountFile } from "@isthmus/platform/browser";
import type { AlignedNetworks } from "./align-pair.ts";
import type { StoryFile } from "./story-requests.ts";
import type { TrainedNetworks } from "./train-pair.ts";

/** Version of Isthmus, which the build fills in. */
declare const VERSION: string;

/** Weight of each network in the average. */
const WEIGHTS = [0.5, 0.5];

/**
 * Makes the bytes of a file. The merged network is the file that `isthmus merge --align` makes of the two others, with the same
 * description of its making.
 * @throws TypeError if the merged network is asked for before the pair is aligned
 */
export async function fileOf(
  file: StoryFile,
  { graph, a, b, choice }: TrainedNetworks,
  aligned: AlignedNetworks | undefined,
): Promise<Blob> {
  const { width, seeds } = choice;
  const trained = (seed: number): Making => ({
    verb: "train",
    version: VERSION,
    network: `mlp:${width}x3`,
    seed,
  });
  switch (file) {
    case "a.onnx":
      return new Blob([new Uint8Array(encodeGraph(graph))]);
    case "a.safetensors":
      return saved(a, file, describeMaking([], trained(seeds[0])));
    case "b.safetensors":
      return saved(b, file, describeMaking([], trained(seeds[1])));
    case "merged.safetensors":
      if (aligned === undefined)
        throw new TypeError("Cannot merge the networks as they must be aligned first");
      return saved(
        merge([a, aligned.b], { method: linear, parameters: { weight: WEIGHTS } }),
        file,
        describeMaking([a, b], makingOf(aligned)),
      );
  }
}

function makingOf({ seed }: AlignedNetworks): Making {
  const align = { method: "weight", seed };
  return { verb: "merge", version: VERSION, weights: WEIGHTS, path: "linear", align };
}

/** Writes a network into the folder that pages have in memory, and takes it out of there. */
async function saved(network: Checkpoint, file: string, metadata: Record<string, string>): Promise<Blob> {
  const { path } = await saveCheckpoint(network, `/${file}`, { metadata, overwrite: true });
  const written = await outputFile(path);
  await unmountFile(path);
  return written;
}
