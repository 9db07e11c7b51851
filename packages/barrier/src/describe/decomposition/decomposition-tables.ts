import { lossWords, type Table } from "@isthmus/findings";
import type { BarrierDecomposition } from "../../decomposition-result.ts";

/** Name of the row of all parts in tables and figures. */
export const ALL_PARTS = "all at once";

/** Makes the table of the effects of each part on the excess. */
export function partsTable(decomposition: BarrierDecomposition): Table {
  const { parts, excess } = decomposition;
  const elements = parts.reduce((sum, part) => sum + part.elements, 0);
  const { loss, error } = excess;
  return {
    name: "parts",
    title: "The excess, by part",
    caption: `Loss ${lossWords(decomposition).inUnits("percentage points")}. Averaged: what averaging this part alone adds to A, and to B. Put back: what taking this part alone from A, or from B, adds to the average of all parts.`,
    columns: [
      { title: "Part", kind: "text" },
      { title: "Elements", kind: "count" },
      { title: "In A", kind: "loss", group: "Averaged" },
      { title: "In B", kind: "loss", group: "Averaged" },
      { title: "Error in A", kind: "points", group: "Averaged" },
      { title: "Error in B", kind: "points", group: "Averaged" },
      { title: "To A", kind: "loss", group: "Put back" },
      { title: "To B", kind: "loss", group: "Put back" },
      { title: "Error to A", kind: "points", group: "Put back" },
      { title: "Error to B", kind: "points", group: "Put back" },
    ],
    rows: [
      ...parts.map(({ part, elements, averaged, putBack }) => ({
        cells: [
          part,
          elements,
          ...[averaged.a.loss, averaged.b.loss, averaged.a.error, averaged.b.error],
          ...[putBack.a.loss, putBack.b.loss, putBack.a.error, putBack.b.error],
        ],
      })),
      {
        cells: [ALL_PARTS, elements, loss, loss, error, error, null, null, null, null],
        note: "above the mean of A and B",
        strong: true,
      },
    ],
  };
}

/** Makes the table of the share of the excess that the first examples carry. */
export function sharesTable(decomposition: BarrierDecomposition): Table {
  const { byExample, excess } = decomposition;
  return {
    name: "example-shares",
    title: "The excess, by share of the examples",
    caption: `What the examples up to a share of them add to the mean excess, highest first, ${lossWords(decomposition).inUnit} and as a share of it; more than 100 % where the others take something from it.`,
    columns: [
      { title: "Examples", kind: "share" },
      { title: "Excess", kind: "loss" },
      { title: "Share of it", kind: "share" },
    ],
    rows: byExample.cumulative.map(({ share, excess: part }) => ({
      cells: [share, part, excess.loss > 0 ? part / excess.loss : null],
    })),
    fixed: true,
  };
}

/** Makes the table of quantiles of the excess of single examples. */
export function quantilesTable(decomposition: BarrierDecomposition): Table {
  return {
    name: "example-quantiles",
    title: "Excess of single examples",
    caption: `Quantiles over the examples, ${lossWords(decomposition).inUnit}; below 0 the midpoint is better than A and B on average.`,
    columns: [
      { title: "Quantile", kind: "share" },
      { title: "Excess", kind: "loss" },
    ],
    rows: decomposition.byExample.quantiles.map(({ quantile, excess }) => ({ cells: [quantile, excess] })),
    fixed: true,
  };
}

/** Makes the table of the examples of highest excess. */
export function worstTable(decomposition: BarrierDecomposition): Table {
  return {
    name: "worst-examples",
    title: "The examples of highest excess",
    caption: `By their index in the data, from 0; loss of each in A, in B and half-way, ${lossWords(decomposition).inUnit}.`,
    columns: [
      { title: "Index", kind: "whole" },
      { title: "A", kind: "loss" },
      { title: "B", kind: "loss" },
      { title: "Half-way", kind: "loss" },
      { title: "Excess", kind: "loss" },
    ],
    rows: decomposition.byExample.worst.map(({ index, a, b, midpoint, excess }) => ({
      cells: [index, a, b, midpoint, excess],
    })),
  };
}
