import { join } from "node:path";
import { at, InvariantError, saveFile } from "@isthmus/core";
import { encodeAlignment } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind } from "./task-kind.ts";

/** How a network is aligned to another. */
export interface AlignNetworksParams {
  readonly method: "weight";
  readonly seed: number;
  readonly restarts: number;
}

/** File of the alignment. */
export const ALIGNMENT_FILE = "alignment.json";

/** Aligns network `b` to network `a`, and proves that it still computes what it did. */
export const alignNetworks: StudyTaskKind<AlignNetworksParams> = {
  name: "align",
  version: 1,
  async run({ engine, folder, signal, onProgress }, { seed, restarts }, inputs) {
    const { networks, close } = await openPair(inputs, engine, signal);
    try {
      const { graph, a, b } = networks;
      const { aligned, symmetries } = await align({ graph, engine }, [a, b], {
        seed,
        restarts,
        signal,
        onProgress: ({ done }) => onProgress(done),
      });
      const { match } = at(aligned, 0, "aligned network");
      if (match.method !== "weight") throw new InvariantError("Networks were not matched by weights");
      await saveFile(
        join(folder, ALIGNMENT_FILE),
        JSON.stringify(encodeAlignment(symmetries.spec, match.alignment)),
      );
      const { objective, bound, sweeps, status } = match;
      return { kind: "align", objective, bound, sweeps, status, seed };
    } finally {
      await close();
    }
  },
};
