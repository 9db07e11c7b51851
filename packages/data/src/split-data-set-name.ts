import type { PlantCueOptions } from "./cue-options.ts";
import { splitCue } from "./parse-cue.ts";
import { SPLITS, type Split } from "./splits.ts";

/** Parts of the name of a data set, as written. */
export interface DataSetNameParts {
  /** Beginning of the name: a data set, or a format and a file. */
  readonly source: string;
  /** Split at the end of the name; undefined if it names none. */
  readonly split: Split | undefined;
  /** Count or range, `@N` or `@FROM..TO`; empty for all examples. */
  readonly range: string;
  /** Text of the cue, `+cue=...`; empty for none. */
  readonly ending: string;
  /** Cue that the ending names; missing if there is none. */
  readonly cue?: PlantCueOptions;
}

const ENDING = new RegExp(`^(.*?)(?::(${SPLITS.join("|")}))?(@(?:\\d+\\.\\.)?\\d+)?$`, "s");

/**
 * Splits the name of a data set into its parts, without checking whether the data set exists. Source, `:` and
 * the split, range and ending can be joined to the name again.
 * @throws InputError if the text after `+cue=` is not a cue
 */
export function splitDataSetName(name: string): DataSetNameParts {
  const { name: plain, cue } = splitCue(name);
  const [, source = "", split, range = ""] = ENDING.exec(plain) ?? [];
  const ending = name.slice(plain.length);
  return { source, split: split as Split | undefined, range, ending, ...(cue && { cue }) };
}
