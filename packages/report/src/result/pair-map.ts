import { formatAlike, formatNumber } from "@isthmus/findings";
import type { ColorScale } from "../figure/color-scale.ts";
import { sequentialScale } from "../figure/color-scale.ts";
import type { Figure } from "../figure/figure.ts";
import { drawHeat } from "../figure/heat-figure.ts";
import type { TreeBracket } from "../figure/tree-mark.ts";

/** A table of one number of every two networks. */
export interface PairMap {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly names: readonly string[];
  /** `[networks][networks]`, symmetric; null for a network and itself, and for what is unknown. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly label: string;
  /** Name of the table that holds the numbers. */
  readonly table: string;
  /** Colours that other figures share. @defaultValue a scale of these values */
  readonly scale?: ColorScale;
  /** A tree over the networks. @defaultValue none */
  readonly tree?: readonly TreeBracket[];
}

/** Makes a heat map of every two networks. */
export function drawPairMap({ names, values, label, scale, tree, ...figure }: PairMap): Figure {
  const numbers = values.flat().filter((value) => value !== null && Number.isFinite(value)) as number[];
  const words = names.flatMap((one, i) =>
    names.slice(i + 1).map((two, k) => {
      const value = values[i]?.[i + 1 + k] ?? null;
      return `${one} and ${two}: ${value === null ? "unknown" : formatNumber(value)}`;
    }),
  );
  const twoDigits = formatAlike(numbers, 2);
  return {
    ...figure,
    words: `Heat map of every two networks, ${label.toLowerCase()}. ${words.join("; ")}.`,
    size: "half",
    draw: drawHeat({
      rows: names,
      columns: names,
      values,
      label,
      columnLabel: "",
      square: true,
      scale: scale ?? sequentialScale(numbers),
      format: formatAlike(numbers),
      coarse: (value) => twoDigits(value).replace(/^0(?=\.)/, ""),
      tree,
    }),
  };
}
