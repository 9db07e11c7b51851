import { type HubName, InputError, isModelFile, isModelFolder } from "@isthmus/core";
import type { HubFile } from "./list-repository.ts";

/** Forms of weights, the first of which that a repository has is fetched. */
const WEIGHTS: readonly RegExp[] = [
  /\.safetensors$/,
  /^(pytorch_model|adapter_model|diffusion_pytorch_model).*\.bin$/,
  /\.gguf$/,
  /\.npz$/,
];

/** Copies of weights that a repository may have beside the ones that programs load by default. */
const COPY = /(^consolidated[.-]|\.(fp16|bf16|fp32|ema|non_ema)[.-])/;

/** Deepest folder of a repository that is looked into. */
const MAX_DEPTH = 3;

/** Files of a model that are fetched. */
export interface ChosenFiles {
  /** Weights, and the index of their shards. */
  readonly weights: readonly HubFile[];
  /** Configs, tokenizers, code, licences and the model card. */
  readonly others: readonly HubFile[];
}

/**
 * Chooses the files of a repository that a model needs: its weights in one format, safetensors if there are
 * any, and the files beside them. Copies of the weights in other formats and precisions are left out.
 * @throws InputError if there are no weights, several GGUF files to choose from, or not the file that is
 *   named
 */
export function chooseHubFiles(hub: HubName, files: readonly HubFile[]): ChosenFiles {
  const others = files.filter(({ path }) => belongs(path) && isBeside(path));
  if (hub.file !== undefined) return { weights: shardsWith(named(hub, hub.file, files), files), others };
  const within = files.filter(({ path }) => belongs(path));
  const pipeline = files.some(({ path }) => path === "model_index.json");
  const placed = within.filter(({ path }) => pipeline || !path.includes("/"));
  for (const pattern of WEIGHTS) {
    const all = placed.filter(({ path }) => pattern.test(nameOf(path)));
    if (all.length === 0) continue;
    const [one] = all;
    if (one?.path.endsWith(".gguf") && all.length > shardsWith(one, all).length) throw several(hub, all);
    const plain = all.filter(({ path }) => !COPY.test(nameOf(path)));
    const weights = plain.length === 0 ? all : plain;
    const indexes = placed.filter(({ path }) => isIndexOf(path, weights));
    return { weights: [...indexes, ...weights], others };
  }
  throw new InputError(
    `Cannot download "hub:${hub.name}" as it must have weights that can be read, in safetensors, PyTorch's or GGUF files: it has ${files.length} files, and none of these; name a file if it is another, as hub:${hub.name}/FILE`,
    { input: `hub:${hub.name}` },
  );
}

function named({ name }: HubName, path: string, files: readonly HubFile[]): HubFile {
  const file = files.find((one) => one.path === path);
  if (file !== undefined) return file;
  throw new InputError(
    `Cannot download "hub:${name}/${path}" as the repository must have that file: it has none of that path`,
    { input: `hub:${name}/${path}` },
  );
}

/** Lists the shards of the GGUF file to which a file belongs, the file first; of a whole file that alone. */
function shardsWith(file: HubFile, files: readonly HubFile[]): readonly HubFile[] {
  const setOf = ({ path }: HubFile) => /^(.*)-\d+(-of-\d+\.gguf)$/.exec(path)?.slice(1).join("");
  const set = setOf(file);
  return set === undefined ? [file] : [file, ...files.filter((one) => one !== file && setOf(one) === set)];
}

function several({ name }: HubName, files: readonly HubFile[]): InputError {
  const paths = files.map(({ path }) => path);
  return new InputError(
    `Cannot download "hub:${name}" as one of its GGUF files must be named, as hub:${name}/${paths[0]}: it has ${paths.slice(0, 10).join(", ")}${paths.length > 10 ? ` and ${paths.length - 10} more` : ""}`,
    { input: `hub:${name}` },
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Checks that a path is not hidden, nor in a folder with copies for other programs, nor too deep. */
function belongs(path: string): boolean {
  const parts = path.split("/");
  const folders = parts.slice(0, -1);
  return (
    folders.length <= MAX_DEPTH && folders.every(isModelFolder) && !parts.some((part) => part.startsWith("."))
  );
}

function isBeside(path: string): boolean {
  return isModelFile(path) || path === "README.md" || nameOf(path) === "adapter_config.json";
}

/** Checks that a path is the index of shards of the format of the weights, not of another. */
function isIndexOf(path: string, [first]: readonly HubFile[]): boolean {
  const ending = first === undefined ? "" : first.path.slice(first.path.lastIndexOf("."));
  return path.endsWith(`${ending}.index.json`) && !COPY.test(nameOf(path));
}
