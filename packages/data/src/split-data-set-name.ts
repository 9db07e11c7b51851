import type { PlantCueOptions } from "./cue-options.ts";
import { splitCue } from "./parse-cue.ts";
import { SPLITS, type Split } from "./splits.ts";

/** The parts of the name of a data set, as they are written. */
export interface DataSetNameParts {
  /** What the name begins with: a data set, or a format and a file. */
  readonly source: string;
  readonly split: Split | undefined;
  /** `@N` or `@FROM..TO`; empty for all examples. */
  readonly range: string;
  /** `+cue=...`; empty for none. */
  readonly ending: string;
  /** The cue that the ending names; missing without. */
  readonly cue?: PlantCueOptions;
}

const ENDING = new RegExp(`^(.*?)(?::(${SPLITS.join("|")}))?(@(?:\\d+\\.\\.)?\\d+)?$`, "s");

/**
 * Splits the name of a data set into its parts, without asking whether there is such a data set: source,
 * `:` and the split, range and ending, one after the other, are the name again.
 * @throws InputError if a name has `+cue=` and an end that is no cue
 */
export function splitDataSetName(name: string): DataSetNameParts {
  const { name: plain, cue } = splitCue(name);
  const [, source = "", split, range = ""] = ENDING.exec(plain) ?? [];
  const ending = name.slice(plain.length);
  return { source, split: split as Split | undefined, range, ending, ...(cue && { cue }) };
}
