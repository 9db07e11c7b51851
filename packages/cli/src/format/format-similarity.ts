import { at } from "@isthmus/core";
import type { SimilarityResult } from "@isthmus/similarity";
import { formatTable } from "./format-table.ts";

/** Formats similarities of layers as text: of layers of one place, or of each layer's closest one. */
export function formatSimilarity(result: SimilarityResult): string {
  const { a, b, layersA, layersB, tables, samples, examples, data } = result;
  const isSquare = layersA.length === layersB.length;
  const about = `Similarity of ${a} and ${b} on ${samples} samples of ${examples} examples of ${data}`;
  const rows = layersA.map(({ label, features }, i) => {
    const partner = isSquare ? i : closest(result, i);
    const { label: other, features: width } = at(layersB, partner, "layer");
    const name = other === label ? label : `${label} / ${other}`;
    const size = width === features ? String(features) : `${features} / ${width}`;
    return [
      name,
      size,
      ...tables.map(({ values }) => formatSimilar(at(at(values, i, "row"), partner, "column"))),
    ];
  });
  const columns = [
    { title: isSquare ? "layer" : "layer / closest in B" },
    { title: "features", align: "right" } as const,
    ...tables.map(({ number }) => ({ title: number, align: "right" }) as const),
  ];
  return `${about}\n\n${formatTable(columns, rows)}`;
}

/** Returns the layer of B that is most like a layer of A by the first number. */
function closest({ tables }: SimilarityResult, layer: number): number {
  const row = at(at(tables, 0, "table").values, layer, "row").map(
    (value) => value ?? Number.NEGATIVE_INFINITY,
  );
  return row.indexOf(Math.max(...row));
}

const formatSimilar = (value: number | null): string => (value === null ? "-" : value.toFixed(3));
