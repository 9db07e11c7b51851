import type { Axis } from "./axis.ts";

/** A bar, with the interval of its value if it has one. */
export interface Bar {
  /** Name of its row. */
  readonly row: string;
  /** Index of its series. */
  readonly series: number;
  /** Length of the bar on the axis of values. */
  readonly value: number;
  /** Lower end of the interval; absent without an interval. */
  readonly low?: number;
  /** Upper end of the interval; absent without an interval. */
  readonly high?: number;
}

/** Single values that stand on the bars, each sort with a symbol of its own. */
export interface BarPoints {
  /** Name of the sort in the legend. */
  readonly label: string;
  /** Values, each with the name of the row on whose bar it stands. */
  readonly values: readonly { readonly row: string; readonly value: number }[];
}

/** Horizontal bars in rows, with their values and intervals. */
export interface BarPlot {
  /** Kind of the plot. */
  readonly kind: "bars";
  /** Rows from the top; each is named once. */
  readonly rows: readonly string[];
  /** Title above the names of the rows. @defaultValue none */
  readonly rowsTitle?: string;
  /** Names of the bars of a row; one without a name needs no legend. */
  readonly series: readonly string[];
  /** Bars of all rows and series. */
  readonly bars: readonly Bar[];
  /** Single values on the bars, for figures with one bar a row. @defaultValue none */
  readonly points?: readonly BarPoints[];
  /** Axis of the values. */
  readonly axis: Axis;
  /** Whether rows have one bar each, of any series, and not one of each series. @defaultValue false */
  readonly single?: boolean;
}
