import { type MeasurePairsOptions, measurePairs, type PairsOfNetworks } from "@isthmus/barrier";
import { type Checkpoint, openCheckpoint, readFileBytes } from "@isthmus/core";
import { DATA_NAME } from "@isthmus/data/forms";
import { batch, filePath, fingerprint, schemaOf, takesParams } from "@isthmus/forms";
import { decodeGraph } from "@isthmus/graph";
import { NORM_POLICIES } from "@isthmus/statistics";
import { pathOf, pathsOf, type TaskKind } from "@isthmus/tasks";
import { z } from "zod";
import { CHANNEL_NUMBERS } from "../open/channel-numbers.ts";
import { MOST } from "../options/parse-values.ts";
import type { WorkerPorts } from "../work/worker-ports.ts";
import { openPairsData, type PairsData } from "./pairs-data.ts";

/** Which pairs of the `networks` of a task are measured, and how. */
export interface MapPairsParams {
  readonly data: PairsData;
  readonly options: Pick<MeasurePairsOptions, "points" | "statistics" | "batchSize">;
  /** Positions among the networks. */
  readonly pairs: PairsOfNetworks["pairs"];
}

/** What was measured of pairs. */
export interface MapPairsResult {
  readonly kind: "map-pairs";
  /** For each pair the distance, then losses, then errors, as `measurePairs` returns them. */
  readonly numbers: readonly (readonly number[])[];
}

const position = z.int().min(0).max(1_000_000);

const PARAMS = schemaOf<MapPairsParams>()(
  z.strictObject({
    data: z.strictObject({
      data: DATA_NAME,
      recalibrateData: DATA_NAME.optional(),
      recalibrateExamples: z.int().min(1).optional(),
      mean: CHANNEL_NUMBERS.optional(),
      std: CHANNEL_NUMBERS.optional(),
      tokenizedBy: filePath.optional(),
      digest: fingerprint,
      statisticsDigest: fingerprint,
    }),
    options: z.strictObject({
      points: z.int().min(3).max(MOST.places),
      statistics: z.enum(NORM_POLICIES),
      batchSize: batch,
    }),
    pairs: z.array(z.tuple([position, position])),
  }),
);

/** Largest file of a graph. */
const MOST_GRAPH_BYTES = 2 ** 31 - 1;

/** Measures pairs of networks of a map. */
export const mapPairsTask: TaskKind<MapPairsParams, WorkerPorts> = {
  name: "map-pairs",
  version: 1,
  ...takesParams("map-pairs", PARAMS),
  async run({ engine, signal, onProgress }, { data: described, options, pairs }, inputs) {
    const { data, statisticsData, inputNames } = await openPairsData(described, pathOf(inputs, "feeds"));
    const bytes = await readFileBytes(pathOf(inputs, "graph"), MOST_GRAPH_BYTES);
    const { graph } = decodeGraph(bytes, { inputs: inputNames });
    const networks: Checkpoint[] = [];
    try {
      for (const path of pathsOf(inputs, "networks")) networks.push(await openCheckpoint(path));
      const numbers = await measurePairs({ graph, engine, data }, networks, pairs, {
        ...{ ...options, statisticsData, signal, onProgress },
      });
      return { kind: "map-pairs", numbers } satisfies MapPairsResult;
    } finally {
      for (const network of networks) await network.close();
    }
  },
};
