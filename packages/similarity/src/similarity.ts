import { checkSizes, type Measurement, titlesOfFiles } from "@isthmus/findings";
import { describeSimilarity } from "./describe/describe-similarity.ts";
import { measureSimilarity } from "./measure-similarity.ts";
import {
  ATTEMPT,
  SIMILARITY_FIELDS,
  type SimilarityChoice,
  type SimilarityProgress,
} from "./similarity-options.ts";
import type { SimilarityResult } from "./similarity-result.ts";

/** Measurement of the similarity of the activations of two networks' layers. */
export const SIMILARITY: Measurement<"unlike-pair", SimilarityChoice, SimilarityResult> = {
  kind: "similarity",
  version: 1,
  attempt: ATTEMPT,
  subject: "unlike-pair",
  options: SIMILARITY_FIELDS,
  journal: { keeps: "finished layers", file: "layers.json" },
  examples: [
    [
      "--report similarity.html",
      "every layer of one network with every layer of the other, by five measures, also as a page",
    ],
    [
      "--measures linear-cka --examples 0 --samples 0",
      "linear CKA alone, on all examples; memory does not grow with them",
    ],
    [
      "--graph-a narrow.onnx --graph-b wide.onnx -o similarity.json",
      "two networks of different architectures",
    ],
    [
      "--values 'layers.*' --positions average",
      "only values of some names, with the positions of images averaged over",
    ],
  ],
  form: async () => (await import("./similarity-form.ts")).SIMILARITY_FORM,
  findSizeProblems: ({ layersA, layersB, tables }) =>
    checkSizes((checks) => {
      const size = [layersA.length, layersB.length] as const;
      for (const [i, { values }] of tables.entries())
        checks.table(`tables.${i}.values`, values, size, '"layersA" and "layersB"');
    }),
  describe: describeSimilarity,
  titleOf: ({ a, b }) => `Similarity of ${titlesOfFiles([a, b]).join(" and ")}`,
  run({ a, b, data }, options, { signal, journalPath, report }) {
    return measureSimilarity(a, b, data, {
      ...options,
      signal,
      journalPath,
      onProgress: ({ stage, done }) => report(STAGES[stage], done),
    });
  },
  recordOf: (result) => ({ ...result, diagonal: numbersOfLayers(result) }),
};

const STAGES: Readonly<Record<SimilarityProgress["stage"], string>> = {
  activations: "Running the networks",
  comparison: "Comparing layers",
};

/** Lists every layer with all numbers that compare it in one network with the same layer in the other. */
function numbersOfLayers({ layersA, tables }: SimilarityResult): readonly object[] {
  return layersA.map(({ label }, layer) => ({
    layer: label,
    ...Object.fromEntries(tables.map(({ number, values }) => [number, values[layer]?.[layer] ?? null])),
  }));
}
