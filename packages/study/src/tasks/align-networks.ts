import { join } from "node:path";
import { saveFile, UnsupportedError } from "@isthmus/core";
import { discoverSymmetries, encodeAlignment, permute, verifyAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
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
      const { spec } = await discoverSymmetries({ graph, engine }, { signal });
      const match = await matchWeights({ spec, graph, engine }, [a, b], {
        seed,
        restarts,
        signal,
        onProgress: ({ restart }) => onProgress(restart / restarts),
      });
      const proof = await verifyAlignment({ graph, engine }, [b, permute(match.alignment, b, spec)], {
        seed,
        signal,
      });
      if (!proof.passed) {
        throw new UnsupportedError(
          `Cannot align with graph "${graph.name}" as permuting must not change what it computes: its output differs by ${proof.maxRelativeError}; please report this graph`,
          { feature: graph.name },
        );
      }
      await saveFile(join(folder, ALIGNMENT_FILE), JSON.stringify(encodeAlignment(spec, match.alignment)));
      const { objective, bound, sweeps, status } = match;
      return { kind: "align", objective, bound, sweeps, status, seed };
    } finally {
      await close();
    }
  },
};
