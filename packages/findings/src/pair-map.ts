import type { Figure } from "./figure.ts";
import { formatNumber } from "./format-value.ts";
import { type ColorScale, sequentialScale } from "./plot/color-scale.ts";
import type { TreeBracket } from "./plot/heat-plot.ts";
import { alikeFormat, narrowFormat } from "./plot/number-format.ts";

/** A table of one number of every two networks. */
export interface PairMap {
  /** Name of the figure, short and unique in its result, in kebab-case. */
  readonly name: string;
  /** Title of the figure: the bold beginning of its caption. */
  readonly title: string;
  /** Explanation of how to read the figure, in sentences. */
  readonly caption: string;
  /** Names of the networks, `[networks]`, in the order of rows and columns. */
  readonly names: readonly string[];
  /** `[networks][networks]`, symmetric; null on the diagonal, and for unknown values. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Words for the colours, with the unit. */
  readonly label: string;
  /** Name of the table that holds the numbers. */
  readonly table: string;
  /** Colours that are shared with other figures. @defaultValue a scale of these values */
  readonly scale?: ColorScale;
  /** A tree over the networks. @defaultValue none */
  readonly tree?: readonly TreeBracket[];
}

/** Makes a heat map of every two networks. */
export function pairMapFigure({ names, values, label, scale, tree, ...figure }: PairMap): Figure {
  const numbers = values.flat().filter((value) => value !== null && Number.isFinite(value)) as number[];
  const words = names.flatMap((one, i) =>
    names.slice(i + 1).map((two, k) => {
      const value = values[i]?.[i + 1 + k] ?? null;
      return `${one} and ${two}: ${value === null ? "unknown" : formatNumber(value)}`;
    }),
  );
  return {
    ...figure,
    words: `Heat map of every two networks, ${label.toLowerCase()}. ${words.join("; ")}.`,
    size: "half",
    plot: {
      kind: "heat",
      rows: names,
      columns: names,
      values,
      label,
      columnLabel: "",
      square: true,
      scale: scale ?? sequentialScale(numbers),
      format: alikeFormat(numbers),
      coarse: narrowFormat(numbers),
      tree,
    },
  };
}
