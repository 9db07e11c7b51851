import type { DataSet } from "@isthmus/graph";
import type { PlantCueOptions } from "../cue-options.ts";
import type { ResolvedDataOptions } from "../open-data-options.ts";
import type { Split } from "../splits.ts";

/** A form of names of data sets, with what is shown of it in help and documents. */
export interface DataForm {
  /** The form as users write it, with capital letters for the parts that they fill in. */
  readonly form: string;
  /** Description of the data that it reads, to stand in a table. */
  readonly what: string;
  readonly example: string;
}

/** A name of a data set, split into its parts. */
export interface DataSetName {
  /** The whole name, for messages and results. */
  readonly name: string;
  readonly kind: DataKind;
  /** Paths in the name, in order. */
  readonly paths: readonly string[];
  /** Settings behind the path, after commas, by their names. */
  readonly settings: Readonly<Record<string, string>>;
  readonly split: Split;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
  /** Number of these that are left out, from the first; missing for none. */
  readonly skip?: number;
  /** The cue that is planted in the images; missing without. */
  readonly cue?: PlantCueOptions;
}

/**
 * A kind of data that people have: how its names look, and how it is read. Help, messages and documents are
 * made of it, so that a new kind is one file and one line in `DATA_KINDS`.
 */
export interface DataKind {
  /** The word that names begin with. */
  readonly name: string;
  readonly forms: readonly DataForm[];
  /** The place that must follow the word and a colon, in words; see {@link isOptional}. */
  readonly place: "a folder" | "a file" | "a file or folder" | "two files with one comma between them";
  /** Whether the word is a name by itself. @defaultValue false */
  readonly isOptional?: boolean;
  /**
   * Settings that may stand behind the path after a comma: a pattern for each setting, whose first group, or
   * else all of it, is the value. @defaultValue none
   */
  readonly settings?: Readonly<Record<string, RegExp>>;
  /** Splits that names may ask for; none if the files are one set, whatever a name says. */
  readonly splits: readonly Split[];
  /** Whether examples may be texts, which the tokenizer of a model takes apart. @defaultValue false */
  readonly isText?: boolean;
  /** Finds the splits that there are; missing if the files of a split are named by the user. */
  readonly findSplits?: (name: DataSetName) => Promise<readonly Split[]>;
  /** Lists the files that are read by a path. @defaultValue the path itself */
  readonly listFiles?: (path: string, name: DataSetName) => Promise<readonly string[]>;
  /** Opens the examples without the cue and the range's beginning, see `openDataSet`. */
  readonly open: (name: DataSetName, options: ResolvedDataOptions) => Promise<DataSet>;
}
