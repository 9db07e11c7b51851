import type { MeasureSimilarityOptions, SimilarityMeasure } from "../similarity-options.ts";
import { ckaMeasure } from "./cka.ts";
import type { Measure, Similarities } from "./measure.ts";
import { procrustesMeasure } from "./procrustes.ts";
import { pwccaMeasure } from "./pwcca.ts";
import { relativeMeasure } from "./relative.ts";
import type { Representation } from "./representation.ts";
import { svccaMeasure } from "./svcca.ts";

/** Numbers of every representation with every other. */
export type ComparePairs = (
  left: readonly Representation[],
  right: readonly Representation[],
  onPair: () => void,
) => Promise<Similarities[][]>;

/** Settings of all measures. */
type Settings = Pick<
  Required<MeasureSimilarityOptions>,
  "estimator" | "bandwidth" | "variance" | "anchors" | "neighbours" | "seed"
>;

/** Returns what compares representations by a measure. */
export function openMeasure(name: SimilarityMeasure, settings: Settings): ComparePairs {
  const { bandwidth, variance, anchors, neighbours, seed } = settings;
  const estimator = settings.estimator === "biased" ? "biased" : "unbiased";
  switch (name) {
    case "linear-cka":
    case "rbf-cka":
      return comparePairs(ckaMeasure(name, { estimator, bandwidth }));
    case "svcca":
      return comparePairs(svccaMeasure(variance));
    case "pwcca":
      return comparePairs(pwccaMeasure(variance));
    case "procrustes":
      return comparePairs(procrustesMeasure());
    case "relative":
      return comparePairs(relativeMeasure({ anchors, neighbours, seed }));
  }
}

/** Prepares all on the left, and one at a time on the right, as what is prepared may be large. */
function comparePairs<Form>({ prepare, compare }: Measure<Form>): ComparePairs {
  return async (left, right, onPair) => {
    const prepared: Form[] = [];
    for (const representation of left) prepared.push(await prepare(representation));
    const rows: Similarities[][] = left.map(() => []);
    for (const representation of right) {
      const other = await prepare(representation);
      for (const [i, form] of prepared.entries()) {
        rows[i]?.push(await compare(form, other));
        onPair();
      }
    }
    return rows;
  };
}
