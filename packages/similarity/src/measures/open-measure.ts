import { at } from "@isthmus/core";
import type { Journal } from "@isthmus/tasks";
import type { MeasureSimilarityOptions, SimilarityMeasure } from "../similarity-options.ts";
import { ckaMeasure } from "./cka.ts";
import { type Measure, SIMILARITY_NUMBERS, type Similarities } from "./measure.ts";
import { procrustesMeasure } from "./procrustes.ts";
import { pwccaMeasure } from "./pwcca.ts";
import { relativeMeasure } from "./relative.ts";
import type { Representation } from "./representation.ts";
import { svccaMeasure } from "./svcca.ts";

/** Representations of the layers of two networks, which are computed at their first use. */
export interface ComparedSides {
  /** Numbers of layers of the two networks, known before any representation is computed. */
  readonly counts: { readonly left: number; readonly right: number };
  /**
   * Computes the representations of all layers of both networks at the first call, and returns the same
   * afterwards.
   */
  hold(): Promise<{ readonly left: readonly Representation[]; readonly right: readonly Representation[] }>;
}

/**
 * Function that computes the numbers of every representation on the left with every one on the right; each
 * layer on the right is a piece of the journal.
 */
export type ComparePairs = (
  sides: ComparedSides,
  journal: Journal,
  onPair: () => void,
) => Promise<Similarities[][]>;

/** Settings of all measures. */
type Settings = Pick<
  Required<MeasureSimilarityOptions>,
  "estimator" | "bandwidth" | "variance" | "anchors" | "neighbours" | "seed"
>;

/** Returns the function that compares representations by a measure. */
export function openMeasure(name: SimilarityMeasure, settings: Settings): ComparePairs {
  const { bandwidth, variance, anchors, neighbours, seed } = settings;
  const estimator = settings.estimator === "biased" ? "biased" : "unbiased";
  switch (name) {
    case "linear-cka":
    case "rbf-cka":
      return comparePairs(name, ckaMeasure(name, { estimator, bandwidth }));
    case "svcca":
      return comparePairs(name, svccaMeasure(variance));
    case "pwcca":
      return comparePairs(name, pwccaMeasure(variance));
    case "procrustes":
      return comparePairs(name, procrustesMeasure());
    case "relative":
      return comparePairs(name, relativeMeasure({ anchors, neighbours, seed }));
  }
}

/**
 * Compares pairs by a measure: prepares all representations on the left, and one at a time on the right, as
 * prepared forms may be large; nothing is prepared for pieces that the journal has.
 */
function comparePairs<Form>(name: SimilarityMeasure, { prepare, compare }: Measure<Form>): ComparePairs {
  return async ({ counts, hold }, journal, onPair) => {
    let prepared: Promise<Form[]> | undefined;
    const prepareLeft = async () => {
      const forms: Form[] = [];
      for (const representation of (await hold()).left) forms.push(await prepare(representation));
      return forms;
    };
    const rows: Similarities[][] = Array.from({ length: counts.left }, () => []);
    for (let column = 0; column < counts.right; column++) {
      const piece = `${name} ${column}`;
      if (journal.has(piece)) for (let i = 0; i < counts.left; i++) onPair();
      const numbers = await journal.get(piece, async () => {
        prepared ??= prepareLeft();
        const forms = await prepared;
        const other = await prepare(at((await hold()).right, column, "layer"));
        const pairs: Similarities[] = [];
        for (const form of forms) {
          pairs.push(await compare(form, other));
          onPair();
        }
        return pairs.flatMap(encodeSimilarities);
      });
      rows.forEach((row, i) => {
        row.push(decodeSimilarities(numbers, i));
      });
    }
    return rows;
  };
}

/**
 * Returns all numbers of a pair for a journal: NaN for null, infinity for numbers that the measure does not
 * have.
 */
function encodeSimilarities(pair: Similarities): number[] {
  return SIMILARITY_NUMBERS.map((name) => {
    const value = pair[name];
    return value === undefined ? Number.POSITIVE_INFINITY : (value ?? Number.NaN);
  });
}

function decodeSimilarities(numbers: readonly number[], pair: number): Similarities {
  const begin = pair * SIMILARITY_NUMBERS.length;
  return Object.fromEntries(
    SIMILARITY_NUMBERS.flatMap((name, i) => {
      const value = at(numbers, begin + i, "number of a pair");
      return value === Number.POSITIVE_INFINITY ? [] : [[name, Number.isNaN(value) ? null : value]];
    }),
  );
}
