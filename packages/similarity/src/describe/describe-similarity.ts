import { meanOf } from "@isthmus/core";
import {
  factsOf,
  formatCount,
  formatCounted,
  formatNumber,
  type PageFact,
  type Report,
  type Tile,
} from "@isthmus/findings";
import type { SimilarityResult, SimilarityTable } from "../similarity-result.ts";
import {
  diagonalOf,
  diagonalSection,
  estimatorWords,
  hasDiagonal,
  heatSection,
  SIMILARITY_WORDS,
} from "./similarity-figures.ts";

/** Describes the similarity of the representations of two networks. */
export function describeSimilarity(result: SimilarityResult): Report {
  const { layersA, layersB, tables } = result;
  return {
    subject: "similarity of representations",
    summary: summarize(result),
    tiles: tilesOf(result),
    sections: [...diagonalSection(result), ...heatSection(result)],
    facts: factsOf(result, measuredFacts(result)),
    notes: notesOf(result),
    // The table of layers at equal depths says most, but networks with different numbers of layers have none.
    shownTables: layersA.length === layersB.length ? ["diagonal"] : tables.map(({ number }) => number),
    data: result,
  };
}

/** Largest number of tiles above the first figure, which shows all numbers. */
const MOST_TILES = 3;
const LAYERS_OF_ONE_PLACE = "layers of one place";

function summarize(result: SimilarityResult): string {
  const [first] = result.tables;
  if (first === undefined) return "";
  const words = SIMILARITY_WORDS[first.number];
  if (!hasDiagonal(result)) {
    return `Layers are compared by ${words} and others, ${formatCounted(result.layersA.length, "layer")} of A with ${formatCount(result.layersB.length)} of B.`;
  }
  const lowest = leastSimilar(result, first);
  if (lowest === undefined) return "";
  return `By ${words}, ${LAYERS_OF_ONE_PLACE} are alike to ${formatNumber(lowest.value)} at least, in ${lowest.label}.`;
}

function leastSimilar(
  { layersA }: SimilarityResult,
  table: SimilarityTable,
): { readonly label: string; readonly value: number } | undefined {
  const measured = diagonalOf(table).flatMap((value, i) => {
    const label = layersA[i]?.label;
    return value === null || label === undefined ? [] : [{ label, value }];
  });
  return measured.toSorted((one, other) => one.value - other.value)[0];
}

function tilesOf(result: SimilarityResult): Tile[] {
  if (!hasDiagonal(result)) return [];
  return result.tables.slice(0, MOST_TILES).flatMap((table, style) => {
    const numbers = diagonalOf(table).filter((value) => value !== null);
    if (numbers.length === 0) return [];
    const more = [`mean of ${formatCounted(numbers.length, "layer")}`];
    return [
      { name: SIMILARITY_WORDS[table.number], value: formatNumber(meanOf(numbers)), unit: "", more, style },
    ];
  });
}

const POSITION_WORDS: Readonly<Record<SimilarityResult["positions"], string>> = {
  flatten: "part of the features",
  average: "averaged over",
  samples: "samples of their own",
};

function measuredFacts(result: SimilarityResult): PageFact[] {
  const { layersA, layersB, positions, samples, tables, bandwidth, variance, anchors } = result;
  const has = (part: string) => tables.some(({ number }) => number.includes(part));
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Layers", `${formatCount(layersA.length)} of A, ${formatCount(layersB.length)} of B`],
    ["Samples", formatCount(samples)],
    ["Positions of images and sequences", POSITION_WORDS[positions]],
    ["CKA", has("cka") ? estimatorWords(result) : undefined],
    ["Bandwidth of RBF CKA", has("rbf") ? `${formatNumber(bandwidth)} of the median distance` : undefined],
    ["Variance of SVCCA", has("cca") ? `${formatNumber(100 * variance)} %` : undefined],
    ["Relative representations", has("relative") ? formatCounted(anchors, "anchor") : undefined],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function notesOf({ tables, layersA, layersB, samples }: SimilarityResult): string[] {
  const notes: string[] = [];
  if (tables.some(({ values }) => values.some((row) => row.includes(null)))) {
    notes.push("Cells without a number are of layers that do not vary on these samples.");
  }
  const widest = Math.max(...[...layersA, ...layersB].map(({ features }) => features));
  if (tables.some(({ number }) => number === "svcca" || number === "pwcca") && 2 * widest > samples) {
    notes.push(
      `SVCCA and PWCCA overstate the similarity of layers with many features: of ${formatCount(samples)} samples any two representations of as many directions have canonical correlations near 1. The widest layer has ${formatCounted(widest, "feature")}.`,
    );
  }
  return notes;
}
