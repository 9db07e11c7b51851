import { batch, schemaOf, seed, takesParams } from "@isthmus/forms";
import { measureSimilarity, type SimilarityResult } from "@isthmus/similarity";
import { z } from "zod";
import type { SimilarityChoice } from "../description/path-measurements.ts";
import { SIMILARITY_FIELDS } from "../schema/similarity-fields.ts";
import { openPair } from "./open-pair.ts";
import type { StudyTaskKind, TaskData } from "./task-kind.ts";
import { TASK_DATA } from "./task-schema.ts";

/** How the representations of two networks are compared. */
export interface MeasurePairSimilarityParams {
  readonly data: TaskData;
  readonly options: SimilarityChoice & { readonly batchSize: number; readonly seed: number };
}

const PARAMS = schemaOf<MeasurePairSimilarityParams>()(
  z.strictObject({
    data: TASK_DATA,
    options: z.strictObject({ ...SIMILARITY_FIELDS, batchSize: batch, seed }),
  }),
);

/** Compares what the layers of two networks compute; lists each layer with itself, for tables. */
export const measurePairSimilarity: StudyTaskKind<MeasurePairSimilarityParams> = {
  name: "similarity",
  version: 1,
  ...takesParams("similarity", PARAMS),
  async run({ engine, openData, signal, onProgress }, { data, options }, inputs) {
    const pair = await openPair(inputs, engine, signal);
    const { graph, a, b } = pair.networks;
    try {
      const inputNames = graph.inputs.map(({ name }) => name);
      const {
        a: _,
        b: __,
        ...result
      } = await measureSimilarity(
        { graph, engine, network: a },
        { graph, engine, network: b },
        await openData(data.name, inputNames),
        { ...options, signal, onProgress: ({ done }) => onProgress(done) },
      );
      return { ...result, diagonal: diagonalOf(result) };
    } finally {
      await pair.close();
    }
  },
};

/** Lists every layer with all numbers of it in one network beside it in the other. */
function diagonalOf({ layersA, tables }: Pick<SimilarityResult, "layersA" | "tables">): readonly object[] {
  return layersA.map(({ label }, layer) => ({
    layer: label,
    ...Object.fromEntries(tables.map(({ number, values }) => [number, values[layer]?.[layer] ?? null])),
  }));
}
