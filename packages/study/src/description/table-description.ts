import type { StudyFigure } from "../study-result.ts";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Where the values of a column come from: exactly one of these keys, besides `where`. A path such as
 * `barrier.loss.chord` leads into a result.
 */
export interface ColumnSource {
  /** Only those results of the row whose variables have these values. */
  readonly where?: WantedValues;
  /** A variable, or a path, of which the rows are made. */
  readonly variable?: string;
  /** Mean of what the path leads to in the results of a row; true counts as 1, false as 0. */
  readonly mean?: string;
  /** Sample standard deviation; none for one result. */
  readonly std?: string;
  readonly min?: string;
  readonly max?: string;
  /** Mean less one standard deviation; none for one result. */
  readonly low?: string;
  /** Mean plus one standard deviation; none for one result. */
  readonly high?: string;
  /** Number of results that have what the path leads to. */
  readonly count?: string;
  /** Quotient of two columns of the row. */
  readonly ratio?: readonly [numerator: string, denominator: string];
  /** A number known beforehand, by the value of a variable. */
  readonly lookup?: { readonly variable: string; readonly values: Readonly<Record<string, number>> };
}

/** A column of a table; without a source it shows the variable of its own name. */
export interface ColumnDescription extends ColumnSource {
  readonly title: string;
  readonly unit?: string;
  /** What is shown in place of a variable's values. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A table: results of a measurement, of which results with equal variables are gathered into one row. */
export interface TableDescription {
  readonly title: string;
  /** Name of the measurement, or of several; the variable `measurement` holds which one a result is of. */
  readonly of: string | readonly string[];
  /**
   * Path of a list in each result, every entry of which counts as a result; `*` in it leads to every entry of
   * a list on the way. Fields of the entry, and of the entries around it, count as variables, too, and so
   * does `number`, its place from 1.
   */
  readonly each?: string;
  /** Only results whose variables have these values, or the values of one of several. */
  readonly where?: WantedValues | readonly WantedValues[];
  /** Variables that make a row. */
  readonly by: readonly string[];
  readonly columns: Readonly<Record<string, ColumnDescription>>;
  /** Repeats the rows under labels, each with sources of its own for some columns: lines of one figure. */
  readonly stack?: {
    /** Key of the column that has the labels; it must be among the columns. */
    readonly column: string;
    readonly parts: Readonly<Record<string, Readonly<Record<string, ColumnSource>>>>;
  };
}

/** A figure: as it is drawn. */
export type FigureDescription = StudyFigure;
