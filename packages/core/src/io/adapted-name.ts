import { createSurroundings, stat } from "@isthmus/platform";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";

/** A model and the adapter that changes it, which users write as `model+adapter`. */
export interface AdaptedName {
  /**
   * Path of the model, or its name on the Hugging Face hub, with its revision if one is named; or such a
   * model and adapters that are applied before, as `model+adapter`.
   */
  readonly model: string;
  /** Path of the adapter, or its name on the Hugging Face hub. */
  readonly adapter: string;
}

/** Opens a model with an adapter applied; packages above this one can read adapters. */
export type OpenAdapted = (name: AdaptedName) => Promise<Checkpoint>;

const openers = createSurroundings<OpenAdapted | undefined>();

/**
 * Calls a function in which `openCheckpoint` opens names of the form `model+adapter`, by a function that
 * applies adapters; this also holds for everything that the function calls and awaits.
 */
export function withAdapters<T>(open: OpenAdapted, act: () => T): T {
  return openers.run(open, act);
}

/** Returns the function that applies adapters in the work under way; undefined if there is none. */
export function currentAdapters(): OpenAdapted | undefined {
  return openers.getStore();
}

/** A model and the adapters that change it, one after the other. */
export interface AdapterChain {
  /** Path of the model, or its name on the Hugging Face hub, with its revision if one is named. */
  readonly model: string;
  /** Paths of the adapters, or their names on the hub, in the order in which they are applied; or none. */
  readonly adapters: readonly string[];
}

/** Most pieces between plus signs; more would let a hostile name take many questions to the disk. */
const MOST_PIECES = 20;

/** Pattern of the beginning of `unet:adapter`, which names a part of an adapter. */
const PART = /^(?!hub:)[a-z]\w+:/;

/**
 * Splits a name into the model and the last adapter, `model+adapter`. Several adapters are applied one after
 * the other: of `a+b+c` the model is `a+b`, and the adapter is `c`.
 * @returns undefined if the path names no adapter
 */
export async function splitAdaptedName(path: string): Promise<AdaptedName | undefined> {
  const { model, adapters } = await splitAdapters(path);
  const adapter = adapters.at(-1);
  return adapter === undefined ? undefined : { model: [model, ...adapters.slice(0, -1)].join("+"), adapter };
}

/**
 * Splits `model+adapter+adapter` into all its parts, none of which is left out. Names of files may have plus
 * signs, too: the name is split so that as few parts as possible name no file or folder, and of two such
 * ways the one whose first parts are longer is taken. So a file or folder with the whole name wins.
 */
export async function splitAdapters(path: string): Promise<AdapterChain> {
  const pieces = path.split("+");
  if (pieces.length === 1) return { model: path, adapters: [] };
  const rest = pieces.slice(MOST_PIECES - 1);
  const split = rest.length === 0 ? pieces : [...pieces.slice(0, MOST_PIECES - 1), rest.join("+")];
  const files = await findRuns(split);
  const [model = path, ...adapters] = joinPieces(split, (name) => files.has(name));
  return { model, adapters };
}

/** Finds which runs of pieces name a file or folder; a run behind the first may name a part of an adapter. */
async function findRuns(pieces: readonly string[]): Promise<ReadonlySet<string>> {
  const runs = pieces.flatMap((_, begin) =>
    pieces.slice(begin).map((_, i) => ({ begin, name: pieces.slice(begin, begin + i + 1).join("+") })),
  );
  const names = await Promise.all(
    runs.map(async ({ begin, name }) => {
      if (await exists(name)) return [name];
      return begin > 0 && PART.test(name) && (await exists(name.replace(PART, ""))) ? [name] : [];
    }),
  );
  return new Set(names.flat());
}

/**
 * Joins the pieces of a name between plus signs to parts, see {@link splitAdapters}; all parts joined by
 * plus signs are the name again, and no part is empty unless the name is.
 * @param isKnown - whether a part names a file or folder
 */
export function joinPieces(pieces: readonly string[], isKnown: (name: string) => boolean): readonly string[] {
  // Of each piece: the cost of the best way to split the name from there on, and its parts.
  const best: { readonly cost: number; readonly parts: readonly string[] }[] = [];
  best[pieces.length] = { cost: 0, parts: [] };
  for (let begin = pieces.length - 1; begin >= 0; begin--) {
    let chosen = { cost: Number.POSITIVE_INFINITY, parts: [pieces.slice(begin).join("+")] };
    for (let end = pieces.length; end > begin; end--) {
      const name = pieces.slice(begin, end).join("+");
      const rest = best[end];
      if (name === "" || rest === undefined) continue;
      // A plus sign within a name that is not found counts more than two names that are not found.
      const cost = rest.cost + (isKnown(name) ? 0 : 2 * (end - begin) - 1);
      if (cost < chosen.cost) chosen = { cost, parts: [name, ...rest.parts] };
    }
    best[begin] = chosen;
  }
  return best[0]?.parts ?? [];
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
