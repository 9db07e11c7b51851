import type { AggregateName } from "./collect/aggregate.ts";

/** Value of a cell: text, a number, or null if there is nothing that could be measured. */
export type StudyValue = string | number | null;

/** A column of a table. */
export interface StudyColumn {
  /** Key of its values in the rows. */
  readonly key: string;
  /** Heading of the column, without the unit. */
  readonly title: string;
  /** Unit of the values, for example `nats`. */
  readonly unit?: string;
  /**
   * Way in which each of its numbers is made of several results; missing if none is, or if the ways differ.
   */
  readonly aggregate?: AggregateName;
  /**
   * Number of results that each of its numbers is made of, in the order of the rows; missing if `aggregate`
   * is, and in older files.
   */
  readonly counts?: readonly number[];
  /**
   * Sample standard deviation of the results that each of its means is made of, in the order of the rows,
   * null for one result; missing if no figure draws it.
   */
  readonly deviations?: readonly (number | null)[];
}

/** Examples and places that results of a table were measured on. */
export interface StudyMeasured {
  /** Name of the examples. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
  /** Number of places of each path; missing if results do not record it. */
  readonly points?: number;
}

/** A table of a study. */
export interface StudyTable {
  /** Name of the table, by which figures refer to it. */
  readonly name: string;
  /** Heading above the table. */
  readonly title: string;
  /** Names of the measurements whose results it shows; missing in older files. */
  readonly of?: readonly string[];
  /** Examples that these were measured on, each once; missing in older files. */
  readonly measured?: readonly StudyMeasured[];
  /** Columns from left to right. */
  readonly columns: readonly StudyColumn[];
  /** Rows from top to bottom: the value of each column by its key. */
  readonly rows: readonly Readonly<Record<string, StudyValue>>[];
}

/** A figure that draws columns of a table. */
export interface StudyFigure {
  /** Heading above the figure. */
  readonly title: string;
  /** Description of what the figure shows, in a sentence or two. */
  readonly caption: string;
  /** Name of the table. */
  readonly table: string;
  /**
   * Shape that shows each row; `heat` is a grid of cells, with `x` along its columns, `y` along its rows and
   * `color` in the cells.
   */
  readonly mark: "line" | "bar" | "dot" | "heat";
  /** Key of the column on the axis across. */
  readonly x: string;
  /** Key of the column on the axis up. */
  readonly y: string;
  /** Key of the column whose values are the colours of a heat map. */
  readonly color?: string;
  /**
   * Scale of the colours of a heat map: even, by factors, from 0 to 1, or around zero.
   * @defaultValue "linear"
   */
  readonly colorScale?: "linear" | "log" | "unit" | "diverging";
  /** Lines of a heat map between cells on either side of a value of a column. */
  readonly borders?: readonly { readonly of: string; readonly at: number }[];
  /**
   * Cell of each column of a heat map that has a dot: the cell of the least or of the greatest value.
   * @defaultValue none
   */
  readonly best?: "least" | "greatest";
  /** Key of the column with the lower bound of an interval around `y`. @defaultValue no interval */
  readonly low?: string;
  /** Key of the column with the upper bound of an interval around `y`. @defaultValue no interval */
  readonly high?: string;
  /**
   * Interval around `y`, a mean, that needs no columns: `std` is one sample standard deviation to each side.
   * @defaultValue no interval, or that of `low` and `high`
   */
  readonly spread?: "std";
  /** Key of the column whose values name the lines. */
  readonly series?: string;
  /** Scale of the axis across: `band` gives each value a place of equal width. @defaultValue "linear" */
  readonly xScale?: "linear" | "log" | "band";
  /** Scale of the axis up. @defaultValue "linear" */
  readonly yScale?: "linear" | "log";
}

/** Networks, or measurements, that a study made for every combination of some variables. */
export interface StudyGroup {
  /** Name of the group in the description. */
  readonly name: string;
  /** Number of its networks or measurements. */
  readonly count: number;
  /** Values of its variables, by name. */
  readonly variables: Readonly<Record<string, readonly (string | number)[]>>;
  /** Settings of each in the description, with `${name}` in place of the value of a variable. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Result of a study: its groups, tables and figures. */
export interface StudyResult {
  /** Kind of the result. */
  readonly kind: "study";
  /** Heading of the whole study. */
  readonly title: string;
  /** Description of the whole study, even if this is a part of it. */
  readonly description: string;
  /**
   * Values that some variables had, if this is a part of a study with no others; missing for a whole study.
   */
  readonly only?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Networks that were trained or loaded; missing in older files. */
  readonly networks?: readonly StudyGroup[];
  /** Measurements that were made of the networks; missing in older files. */
  readonly measurements?: readonly StudyGroup[];
  /** Tables in the order of the description. */
  readonly tables: readonly StudyTable[];
  /** Figures in the order of the description. */
  readonly figures: readonly StudyFigure[];
  /** Seed of all random choices of measurements. */
  readonly seed: number;
}
