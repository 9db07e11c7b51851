/** Text, a number, or null where something could not be measured. */
export type StudyValue = string | number | null;

/** A column of a table. */
export interface StudyColumn {
  /** Key of its values in the rows. */
  readonly key: string;
  readonly title: string;
  /** For example `nats`. */
  readonly unit?: string;
}

/** Numbers of a study. */
export interface StudyTable {
  readonly name: string;
  readonly title: string;
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
  readonly mark: "line" | "bar" | "dot";
  /** Keys of columns. */
  readonly x: string;
  readonly y: string;
  /** Keys of columns that bound an interval around `y`. */
  readonly low?: string;
  readonly high?: string;
  /** Key of the column that tells lines apart. */
  readonly series?: string;
  readonly xScale?: "linear" | "log" | "band";
  readonly yScale?: "linear" | "log";
}

/** What a study has found. */
export interface StudyResult {
  readonly kind: "study";
  readonly title: string;
  readonly description: string;
  readonly tables: readonly StudyTable[];
  readonly figures: readonly StudyFigure[];
  readonly seed: number;
}
