import type { ColorScale } from "./color-scale.ts";
import type { NumberFormat } from "./number-format.ts";

/** A line between the cells of a heat map, along where something crosses a value. */
export interface HeatBorder {
  /** `[rows][columns]`: whether a cell lies on the upper side; null where it is unknown. */
  readonly upper: readonly (readonly (boolean | null)[])[];
}

/** Lines and dots over the cells of a heat map. */
export interface HeatOverlay {
  /** The first is drawn solid, others dashed. */
  readonly borders: readonly HeatBorder[];
  /** Row and column of cells with a dot in their corner. */
  readonly dots: readonly (readonly [row: number, column: number])[];
}

/** Two branches of a tree that are joined. */
export interface TreeBracket {
  /** Place of each branch, where columns are 0, 1, 2, ... */
  readonly left: number;
  readonly right: number;
  /** Heights at which the branches begin, and at which they are joined; as shares of the tallest. */
  readonly leftHeight: number;
  readonly rightHeight: number;
  readonly height: number;
}

/** A table as colours, with numbers where they fit. */
export interface HeatPlot {
  readonly kind: "heat";
  /** Names of the rows, from the top. */
  readonly rows: readonly string[];
  /** Names of the columns, from the left. */
  readonly columns: readonly string[];
  /** `[rows][columns]`; null or not finite where nothing was measured. */
  readonly values: readonly (readonly (number | null)[])[];
  /** Words for the colours, with the unit. */
  readonly label: string;
  readonly columnLabel: string;
  /** Words for the rows. @defaultValue none */
  readonly rowLabel?: string | undefined;
  /** Shared by figures that are to be compared. */
  readonly scale: ColorScale;
  /** How a value is written in its cell. */
  readonly format: NumberFormat;
  /** How it is written where that does not fit. @defaultValue not at all */
  readonly coarse?: NumberFormat;
  /** A tree over the columns, in their order. @defaultValue none */
  readonly tree?: readonly TreeBracket[] | undefined;
  /** Lines between cells, and dots on them. @defaultValue none */
  readonly overlay?: HeatOverlay | undefined;
  /** Whether cells are squares, as rows and columns are of one kind. @defaultValue false */
  readonly square?: boolean;
}
