import type { AggregateName } from "./collect/aggregate.ts";

/** Text, a number, or null where something could not be measured. */
export type StudyValue = string | number | null;

/** A column of a table. */
export interface StudyColumn {
  /** Key of its values in the rows. */
  readonly key: string;
  readonly title: string;
  /** For example `nats`. */
  readonly unit?: string;
  /** How each of its numbers is made of several results; missing where they are not, or not all alike. */
  readonly aggregate?: AggregateName;
  /**
   * Of how many results each number is made, in the order of the rows; missing if `aggregate` is, and in
   * older files.
   */
  readonly counts?: readonly number[];
}

/** What results of a table were measured on. */
export interface StudyMeasured {
  /** Name of the examples. */
  readonly data: string;
  readonly examples: number;
  /** Places of each path; missing where results do not say. */
  readonly points?: number;
}

/** Numbers of a study. */
export interface StudyTable {
  readonly name: string;
  readonly title: string;
  /** Names of the measurements whose results it shows; missing in older files. */
  readonly of?: readonly string[];
  /** What these were measured on, each once; missing in older files. */
  readonly measured?: readonly StudyMeasured[];
  readonly columns: readonly StudyColumn[];
  readonly rows: readonly Readonly<Record<string, StudyValue>>[];
}

/** A picture of columns of a table. */
export interface StudyFigure {
  readonly title: string;
  /** What it shows, in a sentence or two. */
  readonly caption: string;
  /** Name of the table. */
  readonly table: string;
  /** `heat` is a grid of cells, with `x` along its columns, `y` along its rows and `color` in the cells. */
  readonly mark: "line" | "bar" | "dot" | "heat";
  /** Keys of columns. */
  readonly x: string;
  readonly y: string;
  /** Key of the column whose values are the colours of a heat map. */
  readonly color?: string;
  /**
   * How the colours of a heat map are spread: evenly, by factors, from 0 to 1, or around zero.
   * @defaultValue "linear"
   */
  readonly colorScale?: "linear" | "log" | "unit" | "diverging";
  /** Lines of a heat map between cells on either side of a value of a column. */
  readonly borders?: readonly { readonly of: string; readonly at: number }[];
  /** Which cell of each column of a heat map has a dot. @defaultValue none */
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
  /** How many there are. */
  readonly count: number;
  /** Values by name of the variable. */
  readonly variables: Readonly<Record<string, readonly (string | number)[]>>;
  /** What the description says of each, with `${name}` in place of the value of a variable. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What a study has found. */
export interface StudyResult {
  readonly kind: "study";
  readonly title: string;
  /** What the whole study does, even if this is a part of it. */
  readonly description: string;
  /** Present if this is a part of a study: the only values that some variables had. */
  readonly only?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Networks that were trained or loaded, and what was measured on them; missing in older files. */
  readonly networks?: readonly StudyGroup[];
  readonly measurements?: readonly StudyGroup[];
  readonly tables: readonly StudyTable[];
  readonly figures: readonly StudyFigure[];
  readonly seed: number;
}
