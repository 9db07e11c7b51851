import { InputError } from "@isthmus/core";
import {
  CUE_KINDS,
  CUE_VARIANTS,
  type CueKind,
  type CueVariant,
  PLANT_CUE_DEFAULTS,
  type PlantCueOptions,
} from "./cue-options.ts";
import { SPLITS } from "./splits.ts";

/** The form of a cue at the end of the name of a data set, for messages and help. */
export const CUE_FORM = "+cue=KIND[:SHARE][:VARIANT][:SEED]";

/** The name of a data set without a cue, and the cue. */
export interface NameAndCue {
  /** Name without the cue. */
  readonly name: string;
  /** Cue that the end of the name asks for; missing if there is none. */
  readonly cue?: PlantCueOptions;
}

/**
 * Splits the cue from the end of a name, as in `mnist:train@5000+cue=place:0.9:random-cue`; a name whose end
 * is `:test`, `:train`, `:val` or one of them with a count has no cue.
 * @throws InputError if the text after `+cue=` is not a cue
 */
export function splitCue(name: string): NameAndCue {
  const begin = name.lastIndexOf(MARK);
  if (begin < 0 || SPLIT_AT_END.test(name)) return { name };
  const text = name.slice(begin + MARK.length);
  const [, kind = "", share, variant, seed] =
    /^([a-z]+)(?::(\d+(?:\.\d+)?))?(?::([a-z-]+))?(?::(\d+))?$/.exec(text) ?? [];
  if (!CUE_KINDS.some((name) => name === kind)) {
    throw cueError(name, `KIND must be ${CUE_KINDS.join(" or ")}, in ${CUE_FORM}: the end is "${text}"`);
  }
  if (variant !== undefined && !CUE_VARIANTS.some((name) => name === variant)) {
    throw cueError(name, `VARIANT must be one of ${CUE_VARIANTS.join(", ")}: it is "${variant}"`);
  }
  if (Number(share ?? 1) > 1) {
    throw cueError(name, `SHARE is the share of examples with a cue, from 0 to 1: it is ${share}`);
  }
  const cue: PlantCueOptions = {
    kind: kind as CueKind,
    ...(share !== undefined && { share: Number(share) }),
    ...(variant !== undefined && { variant: variant as CueVariant }),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
  return { name: name.slice(0, begin), cue };
}

/** Writes a cue as the end of a name, without options that have their default values. */
export function formatCue(cue: Required<PlantCueOptions>): string {
  const { kind, share, variant, seed } = cue;
  const parts = [
    kind,
    // A seed alone would be parsed as a share.
    ...(share !== PLANT_CUE_DEFAULTS.share || seed !== PLANT_CUE_DEFAULTS.seed ? [share] : []),
    ...(variant !== PLANT_CUE_DEFAULTS.variant ? [variant] : []),
    ...(seed !== PLANT_CUE_DEFAULTS.seed ? [seed] : []),
  ];
  return `${MARK}${parts.join(":")}`;
}

const MARK = "+cue=";
const SPLIT_AT_END = new RegExp(`:(${SPLITS.join("|")})(@\\d+)?$`);

function cueError(name: string, reason: string): InputError {
  return new InputError(
    `Cannot open data set "${name}" as ${reason}; for example mnist:train@5000+cue=place:0.9, and a path ` +
      "that has +cue= in it must be followed by :test or :train",
    { input: name },
  );
}
