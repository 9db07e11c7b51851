import { at } from "@isthmus/core";
import {
  alikeFormat,
  dataWords,
  type Figure,
  fitText,
  formatCounted,
  formatNumber,
  type LinePoint,
  narrowFormat,
  type Section,
  type Table,
  unitScale,
} from "@isthmus/findings";
import type { SimilarityNumber } from "../measures/measure.ts";
import type { SimilarityResult, SimilarityTable } from "../similarity-result.ts";

/** Names of the numbers of similarity. */
export const SIMILARITY_WORDS: Readonly<Record<SimilarityNumber, string>> = {
  "linear-cka": "linear CKA",
  "rbf-cka": "RBF CKA",
  svcca: "SVCCA",
  pwcca: "PWCCA",
  procrustes: "Procrustes similarity",
  "relative-cosine": "relative cosine",
  "relative-mrr": "relative MRR",
  "relative-jaccard": "relative Jaccard index",
};

/** Colours of all heat maps: the same value has the same colour on every page. */
const SCALE = unitScale();

/** Width in pixels of a name below the lines, so that the first name does not extend beyond the figure. */
const TICK_WIDTH = 110;

/** Number of columns from which a heat map has the whole width of the page. */
const WIDE = 11;

/** Tells whether layers at equal depths can be compared, as both networks have the same number of layers. */
export function hasDiagonal({ layersA, layersB }: SimilarityResult): boolean {
  return layersA.length === layersB.length;
}

/** Returns the numbers of layers at equal depths. */
export function diagonalOf({ values }: SimilarityTable): (number | null)[] {
  return values.map((row, i) => at(row, i, "layer"));
}

/** Describes layers at equal depths; returns no section if one network has more layers. */
export function diagonalSection(result: SimilarityResult): Section[] {
  const { tables, layersA, layersB } = result;
  if (!hasDiagonal(result) || tables.length === 0) return [];
  const names = layersA.map(({ label }) => label);
  return [
    {
      name: "diagonal",
      title: "Layers of one place",
      figures: [
        {
          name: "diagonal",
          title: "Similarity of layers of one place,",
          caption: `from the input to the output. 1 is the same up to what the measure does not see. Measured on ${formatCounted(result.samples, "sample")} of ${dataWords(result.data, result.examples)}.`,
          words: `A line for each measure by layer. ${tables.map((table) => `${SIMILARITY_WORDS[table.number]}: ${rangeWords(diagonalOf(table))}`).join("; ")}.`,
          table: "diagonal",
          size: "hero",
          plot: {
            kind: "lines",
            series: tables.map((table) => ({
              label: SIMILARITY_WORDS[table.number],
              points: diagonalOf(table).flatMap((y, x): LinePoint[] => (y === null ? [] : [{ x, y }])),
            })),
            x: {
              label: "Layer, from the input to the output",
              names: names.map((name) => fitText(name, TICK_WIDTH)),
            },
            y: { label: "Similarity", domain: [lowestOf(tables), 1] },
          },
        },
      ],
      tables: [
        {
          name: "diagonal",
          title: "Layers of one place",
          caption: "Layer of A, layer of B, and their similarity.",
          columns: [
            { title: "Layer of A", kind: "text" },
            { title: "Layer of B", kind: "text" },
            ...tables.map(({ number }) => ({ title: SIMILARITY_WORDS[number], kind: "number" }) as const),
          ],
          rows: layersA.map(({ label }, i) => ({
            cells: [
              label,
              at(layersB, i, "layer").label,
              ...tables.map((table) => at(diagonalOf(table), i, "layer")),
            ],
          })),
        },
      ],
    },
  ];
}

/**
 * Returns the lower end of the axis: the nearest tenth below the lowest number, so that lines are well
 * separated.
 */
function lowestOf(tables: readonly SimilarityTable[]): number {
  const numbers = tables.flatMap(diagonalOf).filter((value) => value !== null);
  return Math.floor(10 * Math.min(0.9, ...numbers)) / 10;
}

/** Describes every layer of A with every layer of B, by one heat map for each number. */
export function heatSection(result: SimilarityResult): Section[] {
  if (result.tables.length === 0) return [];
  const maps = result.tables.map((table) => heatOf(result, table));
  return [
    {
      name: "layers",
      title: "Every layer of A with every layer of B",
      figures: maps.map(({ figure }) => figure),
      tables: maps.map(({ table }) => table),
    },
  ];
}

function heatOf(
  result: SimilarityResult,
  table: SimilarityTable,
): { readonly figure: Figure; readonly table: Table } {
  const { layersA, layersB, samples, data, examples } = result;
  const { number, values } = table;
  const [rows, columns] = [layersA.map(({ label }) => label), layersB.map(({ label }) => label)];
  const numbers = values.flat().filter((value) => value !== null);
  const title = capitalize(SIMILARITY_WORDS[number]);
  return {
    figure: {
      name: number,
      title: `${title} of every two layers:`,
      caption: `one row a layer of A, one column a layer of B; lighter is more alike, and all heat maps have the same colours. ${SETTINGS[number](result)} Measured on ${formatCounted(samples, "sample")} of ${dataWords(data, examples)}.`,
      words: `Heat map of ${SIMILARITY_WORDS[number]} by layer of A and layer of B, ${rangeWords(numbers)}.`,
      table: number,
      size: columns.length > WIDE ? "hero" : "half",
      plot: {
        kind: "heat",
        rows,
        columns,
        values,
        label: title,
        columnLabel: "Layer of B",
        rowLabel: "Layer of A",
        square: true,
        scale: SCALE,
        format: alikeFormat(numbers),
        coarse: narrowFormat(numbers),
      },
    },
    table: {
      name: number,
      title: `${title} of all layers`,
      caption: `${title}: one row a layer of A, one column a layer of B.`,
      columns: [
        { title: "Layer of A", kind: "text" },
        ...columns.map((column) => ({ title: column, kind: "number" }) as const),
      ],
      rows: rows.map((row, i) => ({ cells: [row, ...at(values, i, "row")] })),
    },
  };
}

/** Words for the settings from which each number can be computed again. */
const SETTINGS: Readonly<Record<SimilarityNumber, (result: SimilarityResult) => string>> = {
  "linear-cka": (result) => `Estimated ${estimatorWords(result)}.`,
  "rbf-cka": (result) =>
    `The bandwidth is ${formatNumber(result.bandwidth)} of the median distance, estimated ${estimatorWords(result)}.`,
  svcca: ({ variance }) =>
    `The mean canonical correlation of the directions that hold ${formatNumber(100 * variance)} % of the variance of each.`,
  pwcca: ({ variance }) =>
    `Canonical correlations of the directions that hold ${formatNumber(100 * variance)} % of the variance of each, weighted by what they are in the features of A.`,
  procrustes: () =>
    "1 minus half the squared distance that the best rotation leaves, of representations of norm 1.",
  "relative-cosine": (result) =>
    `Mean cosine of the relative representations of a sample in A and in B, ${anchorWords(result)}.`,
  "relative-mrr": (result) =>
    `Mean reciprocal rank of a sample of B among all by its cosine with the same sample of A, ${anchorWords(result)}.`,
  "relative-jaccard": (result) =>
    `Mean Jaccard index of the ${formatCounted(result.neighbours, "nearest neighbour")} of a sample in A and in B, ${anchorWords(result)}.`,
};

/** Says how CKA was estimated. */
export function estimatorWords({ estimator, block }: SimilarityResult): string {
  if (estimator !== "minibatch") return `by the ${estimator} HSIC`;
  return `by the unbiased HSIC of blocks of ${formatCounted(block ?? 0, "sample")}`;
}

const anchorWords = ({ anchors, seed }: SimilarityResult): string =>
  `by cosines with ${formatCounted(anchors, "anchor")} (seed ${seed})`;

function rangeWords(values: readonly (number | null)[]): string {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length === 0) return "nowhere measured";
  return `from ${formatNumber(Math.min(...numbers))} to ${formatNumber(Math.max(...numbers))}`;
}

/** Makes the first letter of a sentence a capital. */
function capitalize(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
