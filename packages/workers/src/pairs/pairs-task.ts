import { type Checkpoint, openCheckpoint, readFileBytes, resolveFields } from "@isthmus/core";
import { DATA_NAME } from "@isthmus/data/forms";
import type { AnyMeasurement, AnyPairsMeasurement, NetworkPair } from "@isthmus/findings";
import { filePath, fingerprint, takesParams } from "@isthmus/forms";
import { decodeGraph } from "@isthmus/graph";
import { shapeOfFields } from "@isthmus/study";
import { pathOf, pathsOf, type TaskKind } from "@isthmus/tasks";
import * as z from "zod";
import { CHANNEL_NUMBERS } from "../kinds/described-scaling.ts";
import type { WorkerPorts } from "../kinds/worker-ports.ts";
import { openPairsData, type PairsData } from "./pairs-data.ts";

/** Parameters of a task that measures some pairs of its `networks`. */
export interface PairsParams {
  /** Examples to measure on, with fingerprints by which a worker checks that it has the same. */
  readonly data: PairsData;
  /** Options of the measurement by name; options that are left out have the measurement's defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Pairs, as positions among the networks. */
  readonly pairs: readonly NetworkPair[];
}

/** Record of a task that has measured pairs. */
export interface PairsResult {
  /** Name of the kind of task: that of the measurement, with `-pairs` behind it. */
  readonly kind: string;
  /** Measured numbers of each pair. */
  readonly numbers: readonly (readonly number[])[];
}

const position = z.int().min(0).max(1_000_000);

/** Largest size of the file of a graph, in bytes. */
const MOST_GRAPH_BYTES = 2 ** 31 - 1;

/** Makes the kind of the tasks that measure pairs of networks for a measurement. */
export function pairsTask(
  { kind, version, attempt }: Pick<AnyMeasurement, "kind" | "version" | "attempt">,
  { options: fields, run }: AnyPairsMeasurement,
): TaskKind<PairsParams, WorkerPorts> {
  const name = `${kind}-pairs`;
  const schema = z.strictObject({
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
    options: z.strictObject(shapeOfFields(fields)),
    pairs: z.array(z.tuple([position, position])),
  });
  return {
    name,
    version,
    ...takesParams(name, schema as z.ZodType as z.ZodType<PairsParams>),
    async run({ engine, signal, onProgress }, { data: described, options, pairs }, inputs) {
      const { data, statisticsData, inputNames } = await openPairsData(described, pathOf(inputs, "feeds"));
      const bytes = await readFileBytes(pathOf(inputs, "graph"), MOST_GRAPH_BYTES);
      const { graph } = decodeGraph(bytes, { inputs: inputNames });
      const networks: Checkpoint[] = [];
      try {
        for (const path of pathsOf(inputs, "networks")) networks.push(await openCheckpoint(path));
        const subject = { graph, engine, data, statisticsData, networks };
        const resolved = resolveFields(attempt, fields, options);
        const numbers = await run(subject, pairs, resolved, { signal, onProgress });
        return { kind: name, numbers } satisfies PairsResult;
      } finally {
        for (const network of networks) await network.close();
      }
    },
  };
}
