import type { DataSet } from "@isthmus/graph";
import type { PlantCueOptions } from "../cue-options.ts";
import type { ResolvedDataOptions } from "../open-data-options.ts";
import type { Split } from "../splits.ts";

/** A form of names of data sets, with its description for help and documents. */
export interface DataForm {
  /** Form in users' notation, with capital letters for the parts that users fill in. */
  readonly form: string;
  /** Description of the data that this form reads, for a table. */
  readonly what: string;
  /** Name of a data set of this form, for help. */
  readonly example: string;
}

/** A name of a data set, split into its parts. */
export interface DataSetName {
  /** Whole name, for messages and results. */
  readonly name: string;
  /** Kind of data, by the word with which the name begins. */
  readonly kind: DataKind;
  /** Paths in the name, in order. */
  readonly paths: readonly string[];
  /** Settings after the path, separated by commas, by their names. */
  readonly settings: Readonly<Record<string, string>>;
  /** Split to read; `test` if the name states none. */
  readonly split: Split;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
  /** Number of these examples that are left out, from the first; missing for none. */
  readonly skip?: number;
  /** Cue that is planted in the images; missing if there is none. */
  readonly cue?: PlantCueOptions;
}

/**
 * A kind of data: the form of its names, and functions to read it. Help, messages and documents are derived
 * from it, so that a new kind is one file and one line in `DATA_KINDS`.
 */
export interface DataKind {
  /** Word with which names begin. */
  readonly name: string;
  /** Forms of names of this kind, each with its description. */
  readonly forms: readonly DataForm[];
  /** Description of the path that must follow the word and a colon; see {@link isOptional}. */
  readonly place: "a folder" | "a file" | "a file or folder" | "two files with one comma between them";
  /** Whether the word alone is a name. @defaultValue false */
  readonly isOptional?: boolean;
  /**
   * Settings that may follow the path after a comma: a pattern for each setting, whose first group, or else
   * the whole match, is the value. @defaultValue none
   */
  readonly settings?: Readonly<Record<string, RegExp>>;
  /**
   * Endings of the names of files that are usually of this kind, such as `.npz`, so that a bare path can be
   * recognized. @defaultValue none
   */
  readonly endings?: readonly string[];
  /** Splits that names may request; empty if the files are one set, regardless of the name. */
  readonly splits: readonly Split[];
  /** Whether examples may be texts, which the tokenizer of a model splits into tokens. @defaultValue false */
  readonly isText?: boolean;
  /** Finds the existing splits; missing if the user names the files of a split. */
  readonly findSplits?: (name: DataSetName) => Promise<readonly Split[]>;
  /** Lists the files that a path stands for. @defaultValue the path itself */
  readonly listFiles?: (path: string, name: DataSetName) => Promise<readonly string[]>;
  /**
   * Opens the examples, without planting the cue or leaving out the first ones of a range, see `openDataSet`.
   */
  readonly open: (name: DataSetName, options: ResolvedDataOptions) => Promise<DataSet>;
}
