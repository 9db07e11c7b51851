import { basename, dirname, join, readdir, stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { findInputs } from "../io/assert-no-input.ts";
import { reasonOf } from "../io/system-error.ts";

/** Extension of saved checkpoints. */
const EXTENSION = ".safetensors";

/**
 * Pattern of extensions of models in other formats; a path with such an extension is not treated as a folder.
 */
const FOREIGN = /\.(pt|pth|bin|ckpt|onnx|npz|npy|pkl|h5|gguf|json|msgpack|zip|tar|gz)$/i;

/**
 * Output place of a checkpoint: a folder, which need not exist yet, and the beginning that the names of its
 * files share.
 */
export interface OutputPlace {
  /** Path of the folder that contains the files. */
  readonly folder: string;
  /** Shared beginning of the names, such as `model` in `model-00001-of-00002.safetensors`. */
  readonly stem: string;
  /** End of the names of the files, with its dot. @defaultValue `.safetensors` */
  readonly extension?: string;
}

/** Beginning of the names of weights in folders of diffusers, which loads no others. */
const DIFFUSERS = "diffusion_pytorch_model";

/**
 * Resolves the path to save to: `x.safetensors` is a file (or the name that shards derive theirs from), any
 * other path is a folder for `model.safetensors`, or `diffusion_pytorch_model.safetensors` if the
 * weights came from files of that name.
 * @param inputs - paths of the files from which the checkpoint is read
 * @throws InputError if the path is named like a file of another format, a folder is named like a file, or
 *   the folder has weights of another name, which would be opened together with the new ones
 */
export async function resolveOutputPlace(path: string, inputs: readonly string[] = []): Promise<OutputPlace> {
  const isFolder = await isDirectory(path);
  if (path.endsWith(EXTENSION)) {
    if (isFolder)
      throw new InputError(`Cannot save to "${path}" as it must be a file: it is a folder`, { input: path });
    return { folder: dirname(path), stem: basename(path, EXTENSION) };
  }
  if (!isFolder && FOREIGN.test(path)) {
    throw new InputError(
      `Cannot save to "${path}" as checkpoints are written in safetensors: name a file ending in ${EXTENSION}, or a folder; isthmus convert makes npz, GGUF and others of it`,
      { input: path },
    );
  }
  const isDiffusers = inputs.some((input) => basename(input).startsWith(DIFFUSERS));
  const place = { folder: path, stem: isDiffusers ? DIFFUSERS : "model" };
  const other = { folder: path, stem: DIFFUSERS };
  if (isFolder) await assertOwnFolder(inputs.length === 0 ? [place, other] : [place]);
  return place;
}

/** Pattern of names of files of weights, which are opened together, and of the settings of an adapter. */
const WEIGHTS = /^adapter_config\.json$|\.safetensors(\.index\.json)?$/;

/**
 * Checks that saving to any of the places replaces all weights of their folder.
 * @throws InputError if the folder has other weights
 */
async function assertOwnFolder(places: readonly [OutputPlace, ...OutputPlace[]]): Promise<void> {
  const [{ folder }] = places;
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".") && WEIGHTS.test(name));
  const foreign = names.sort().find((name) => places.every((place) => !isCheckpointFile(place, name)));
  if (foreign === undefined) return;
  throw new InputError(
    `Cannot save to "${folder}" as a folder must hold one model: it holds "${foreign}", with which the new weights would be mixed up; choose another folder, or remove that file`,
    { input: folder },
  );
}

/** Returns the paths of the shards, as the Hugging Face hub names them; a single shard has no number. */
export function shardPaths({ folder, stem, extension = EXTENSION }: OutputPlace, count: number): string[] {
  if (count === 1) return [join(folder, `${stem}${extension}`)];
  const pad = (n: number): string => String(n).padStart(5, "0");
  return Array.from({ length: count }, (_, i) =>
    join(folder, `${stem}-${pad(i + 1)}-of-${pad(count)}${extension}`),
  );
}

/** Returns the path of the index that lists the shard of each tensor. */
export function indexPath({ folder, stem }: OutputPlace): string {
  return join(folder, `${stem}${EXTENSION}.index.json`);
}

/**
 * Lists the files of an earlier checkpoint of the same name, which would mix with the new one or hide it. A
 * file in a format without an index may be made of shards of its name, which then stay beside it.
 * @param paths - paths of the new files
 * @param inputs - paths of the files from which the checkpoint is read
 */
export async function findEarlierFiles(
  place: OutputPlace,
  paths: readonly string[],
  inputs: readonly string[],
): Promise<readonly string[]> {
  if (!(await isDirectory(place.folder))) return [];
  const names = (await readdir(place.folder)).filter((name) => isCheckpointFile(place, name));
  const files = names.map((name) => join(place.folder, name));
  if (place.extension === undefined || paths.length > 1) return files;
  const shardsRead = await findInputs(files, inputs);
  return files.filter((file) => paths.includes(file) || !shardsRead.has(file));
}

/** Checks whether a file name belongs to a checkpoint in that place, with any number of shards. */
export function isCheckpointFile({ stem, extension = EXTENSION }: OutputPlace, name: string): boolean {
  if (!name.startsWith(stem)) return false;
  const end = name.slice(stem.length);
  return end.replace(/^-\d+-of-\d+/, "") === extension || end === `${extension}.index.json`;
}

/**
 * Checks whether a path names a folder that exists.
 * @throws InputError if this cannot be determined
 */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw new InputError(`Cannot save to "${path}" as ${reasonOf(error)}`, { input: path, cause: error });
  }
}
