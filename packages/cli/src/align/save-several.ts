import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import {
  at,
  type Checkpoint,
  describeMaking,
  InputError,
  readJsonFile,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import { copyModelFiles } from "@isthmus/recipe";
import { namesInUniverse } from "@isthmus/weight-matching";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { ManyVerbOptions } from "../options/many-options.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";
import type { Context } from "../verb.ts";

/** Options of `isthmus align` that the alignment of several networks uses. */
export type AlignSeveralOptions = EngineOptions &
  MatchVerbOptions &
  ManyVerbOptions &
  BindingOptions & {
    readonly graph?: string | undefined;
    readonly output: string;
    readonly saveAlignment?: string | undefined;
    readonly data?: string | undefined;
  };

/** Name of the file in the output folder that has the permutations. */
export const ALIGNMENTS = "alignments.json";

/**
 * Returns the path of each network in the output folder: its own file name, with a number if two are the
 * same.
 * @param list - words for the file that may be named in place of a folder
 * @throws UsageError if the output is a file
 */
export function placesOf(
  paths: readonly string[],
  output: string,
  { list = ", or a .json for the permutations alone" }: { readonly list?: string } = {},
): string[] {
  if (extname(output) === ".safetensors") {
    const two = "; without --many and --reference only the second is, in the order of the first";
    throw new UsageError(
      `Cannot align ${paths.length} networks to "${output}" as each of them is written: name a folder${list}${paths.length === 2 ? two : ""}`,
    );
  }
  const taken = new Set<string>();
  return paths.map((path) => {
    const isFile = /[.](safetensors|pt|pth|bin|npz|onnx|gguf|json|ckpt)$/.test(path);
    const stem = isFile ? basename(path, extname(path)) : basename(path);
    let name = stem;
    for (let k = 2; taken.has(name); k++) name = `${stem}-${k}`;
    taken.add(name);
    return join(output, isFile ? `${name}.safetensors` : name);
  });
}

/**
 * Checks that no network of an earlier alignment would be left beside the ones that are written: the old and
 * the new ones are not aligned to each other, and the new list of permutations does not name the old ones.
 * @throws InputError if one would be left
 */
export async function assertNothingStale(output: string, places: readonly string[]): Promise<void> {
  const list = join(output, ALIGNMENTS);
  const earlier = placesOf((await isThere(list)) ? namesInUniverse(await readJsonFile(list)) : [], output);
  const stale: string[] = [];
  for (const place of earlier) {
    if (!places.includes(place) && (await isThere(place))) stale.push(basename(place));
  }
  if (stale.length === 0) return;
  throw new InputError(
    `Cannot align into "${output}" as networks of an earlier alignment would stay beside the new ones: ${stale.join(", ")}, which its ${ALIGNMENTS} lists; remove them, or name another folder`,
    { input: list },
  );
}

/** Networks in one system of coordinates. */
interface SavedNetworks {
  /** All networks, under the names of their own checkpoints. */
  readonly networks: readonly Checkpoint[];
  /** Index of the reference, and the method that matched permutations. */
  readonly match: { readonly reference: number; readonly many?: string };
}

/** A network to be saved among several. */
interface SaveRequest {
  /** Path that the network is written to. */
  readonly place: string;
  readonly checkpoints: readonly Checkpoint[];
  readonly paths: readonly string[];
  readonly options: AlignSeveralOptions;
}

/** Saves one of several networks, with the files of its folder; returns the files written. */
export async function saveOne(
  { networks, match }: SavedNetworks,
  i: number,
  { place, checkpoints, paths, options }: SaveRequest,
  { maker, signal, progress, terminal }: Context,
): Promise<string[]> {
  const network = at(networks, i, "network");
  const { method, seed, only, skip, normalize, restarts, judge } = options;
  const reference = at(checkpoints, match.reference, "reference");
  const making = describeMaking(checkpoints, {
    verb: "align",
    ...maker,
    method,
    many: match.many,
    seed,
    restarts,
    judge,
    only,
    skip,
    normalize,
    network: basename(at(checkpoints, i, "network").source),
    reference: basename(reference.source),
  });
  const { files } = await saveCheckpoint(network, place, {
    metadata: { ...network.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress(`Writing network ${i + 1} of ${networks.length}`, done),
  });
  const copied = await copyModelFiles(at(paths, i, "path"), place, { onNote: terminal.note });
  return [...files, ...copied];
}

/** Returns whether there is a file or folder at a path. */
export const isThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;
