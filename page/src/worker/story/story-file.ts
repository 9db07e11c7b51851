import { encodeGraph } from "@isthmus/graph";
import type { AlignedNetworks } from "./align-pair.ts";
import type { StoryFile } from "./story-requests.ts";
import type { TrainedNetworks } from "./train-pair.ts";

/** Makes the bytes of a file. */
export async function fileOf(
  file: StoryFile,
  { graph }: TrainedNetworks,
  _aligned: AlignedNetworks | undefined,
): Promise<Blob> {
  if (file === "a.onnx") return new Blob([new Uint8Array(encodeGraph(graph))]);
  throw new TypeError(`Cannot make ${file} yet`);
}
