import type { AggregateName } from "./collect/aggregate.ts";

/** Value of a cell: text, a number, or null if there is nothing that could be measured. */
export type StudyValue = string | number | null;

/** A column of a table. */
export interface StudyColumn {
  /** Key of its values in the rows. */
  readonly key: string;
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
}

/** Examples and places that results of a table were measured on. */
export interface StudyMeasured {
  /** Name of the examples. */
  readonly data: string;
  readonly examples: number;
  /** Number of places of each path; missing if results do not record it. */
  readonly points?: number;
}

/** A table of a study. */
export interface StudyTable {
  readonly name: string;
  readonly title: string;
  /** Names of the measurements whose results it shows; missing in older files. */
  readonly of?: readonly string[];
  /** Examples that these were measured on, each once; missing in older files. */
  readonly measured?: readonly StudyMeasured[];
  readonly columns: readonly StudyColumn[];
  readonly rows: readonly Readonly<Record<string, StudyValue>>[];
}

/** A figure that draws columns of a table. */
export interface StudyFigure {
  readonly title: string;
  /** Description of what the figure shows, in a sentence or two. */
  readonly caption: string;
  /** Name of the table. */
  readonly table: string;
  /** `heat` is a grid of cells, with `x` along its columns, `y` along its rows and `color` in the cells. */
  readonly mark: "line" | "bar" | "dot" | "heat";
  /** Keys of the columns of the two axes: `x` is across, `y` is up. */
  readonly x: string;
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
  /** Keys of columns that bound an interval around `y`. */
  readonly low?: string;
  readonly high?: string;
  /** Key of the column whose values name the lines. */
  readonly series?: string;
  readonly xScale?: "linear" | "log" | "band";
  readonly yScale?: "linear" | "log";
}

/** Networks, or measurements, that a study made for every combination of some variables. */
export interface StudyGroup {
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
  readonly kind: "study";
  readonly title: string;
  /** Description of the whole study, even if this is a part of it. */
  readonly description: string;
  /**
   * Values that some variables had, if this is a part of a study with no others; missing for a whole study.
   */
  readonly only?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Networks that were trained or loaded, and below them their measurements; missing in older files. */
  readonly networks?: readonly StudyGroup[];
  readonly measurements?: readonly StudyGroup[];
  readonly tables: readonly StudyTable[];
  readonly figures: readonly StudyFigure[];
  readonly seed: number;
}
