import type { StudyFigure } from "../study-result.ts";
import type { WantedValues } from "./wanted-values.ts";

/**
 * Source of the values of a column: exactly one of these keys, besides `where`. A path such as
 * `barrier.loss.chord` leads into a result.
 */
export interface ColumnSource {
  /** Only those results of the row whose variables have these values. */
  readonly where?: WantedValues;
  /** Variable or path whose value is shown; it must be in the `by` of the table. */
  readonly variable?: string;
  /** Path of the values whose mean over the results of a row is shown; true counts as 1, false as 0. */
  readonly mean?: string;
  /** Path of the values whose sample standard deviation is shown; null for one result. */
  readonly std?: string;
  /** Path of the values whose smallest over the results of a row is shown. */
  readonly min?: string;
  /** Path of the values whose largest over the results of a row is shown. */
  readonly max?: string;
  /** Path of the values whose mean less one standard deviation is shown; null for one result. */
  readonly low?: string;
  /** Path of the values whose mean plus one standard deviation is shown; null for one result. */
  readonly high?: string;
  /** Path of a value: the number of results of the row that have it is shown. */
  readonly count?: string;
  /** Keys of two columns of the row whose quotient is shown. */
  readonly ratio?: readonly [numerator: string, denominator: string];
  /** Numbers known beforehand, by the value of a variable. */
  readonly lookup?: { readonly variable: string; readonly values: Readonly<Record<string, number>> };
}

/** A column of a table; without a source it shows the variable whose name is the column's key. */
export interface ColumnDescription extends ColumnSource {
  /** Heading of the column, without the unit. */
  readonly title: string;
  /** Unit of the values, for example `nats`. @defaultValue none is shown */
  readonly unit?: string;
  /** Labels that are shown in place of a variable's values, by value. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * A table of the results of measurements: results with equal values of the variables in `by` make one row.
 */
export interface TableDescription {
  /** Heading above the table. */
  readonly title: string;
  /** Name of the measurement, or of several; the variable `measurement` holds the name for each result. */
  readonly of: string | readonly string[];
  /**
   * Path of a list in each result, every entry of which counts as a result; `*` in it leads to every entry of
   * a list on the way. Fields of the entry, and of the entries around it, count as variables, too, and so
   * does `number`, its place from 1.
   */
  readonly each?: string;
  /** Values that the variables of a result must have, or several sets of values of which one must fit. */
  readonly where?: WantedValues | readonly WantedValues[];
  /** Variables whose values tell the rows apart. */
  readonly by: readonly string[];
  /** Columns by key, from left to right. */
  readonly columns: Readonly<Record<string, ColumnDescription>>;
  /**
   * Repetition of the rows under several labels, each with sources of its own for some columns: lines of one
   * figure.
   */
  readonly stack?: {
    /** Key of the column that has the labels; it must be among the columns. */
    readonly column: string;
    readonly parts: Readonly<Record<string, Readonly<Record<string, ColumnSource>>>>;
  };
}

/** A figure of a study, in the same form as in its result. */
export type FigureDescription = StudyFigure;
