import type { ColorScale } from "./color-scale.ts";
import type { NumberFormat } from "./number-format.ts";

/** A line between the cells of a heat map, along which a quantity crosses a value. */
export interface HeatBorder {
  /** `[rows][columns]`: whether a cell lies on the upper side; null if that is unknown. */
  readonly upper: readonly (readonly (boolean | null)[])[];
}

/** Lines and dots over the cells of a heat map. */
export interface HeatOverlay {
  /** Lines between cells: the first is drawn solid, others dashed. */
  readonly borders: readonly HeatBorder[];
  /** Row and column of cells with a dot in their corner. */
  readonly dots: readonly (readonly [row: number, column: number])[];
}

/** Two branches of a tree that are joined. */
export interface TreeBracket {
  /** Place of the left branch on the axis of columns, which are at 0, 1, 2, ... */
  readonly left: number;
  /** Place of the right branch on the axis of columns. */
  readonly right: number;
  /** Height at which the left branch begins, as a share of the tallest. */
  readonly leftHeight: number;
  /** Height at which the right branch begins, as a share of the tallest. */
  readonly rightHeight: number;
  /** Height at which the branches are joined, as a share of the tallest. */
  readonly height: number;
}

/** A table as colours, with numbers in the cells if they fit. */
export interface HeatPlot {
  /** Kind of the plot. */
  readonly kind: "heat";
  /** Names of the rows, from the top. */
  readonly rows: readonly string[];
  /** Names of the columns, from the left. */
  readonly columns: readonly string[];
  /** `[rows][columns]`; null, or not finite, if nothing was measured. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Words for the colours, with the unit. */
  readonly label: string;
  /** Words for the columns; empty without any. */
  readonly columnLabel: string;
  /** Words for the rows. @defaultValue none */
  readonly rowLabel?: string | undefined;
  /** Scale of colours, which figures that are to be compared share. */
  readonly scale: ColorScale;
  /** Format of the values in the cells. */
  readonly format: NumberFormat;
  /** Shorter format for cells in which `format` does not fit. @defaultValue no numbers then */
  readonly coarse?: NumberFormat;
  /** A tree over the columns, in their order. @defaultValue none */
  readonly tree?: readonly TreeBracket[] | undefined;
  /** Lines between cells, and dots on them. @defaultValue none */
  readonly overlay?: HeatOverlay | undefined;
  /** Whether cells are squares, as rows and columns are of one kind. @defaultValue false */
  readonly square?: boolean;
}
