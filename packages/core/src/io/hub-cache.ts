import { dirname, homedir, join, process, readdir, readFile, stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { splitAdaptedName } from "./adapted-name.ts";
import {
  formatHubName,
  HUB_PREFIX,
  type HubName,
  isRevision,
  parseHubName,
  parsePlainHubName,
} from "./hub-name.ts";
import { currentModelSource } from "./model-source.ts";

/** Maximum number of models that a message names. */
const NAMED = 10;

/**
 * Finds the folder of a model of the Hugging Face hub in the cache on this machine. Nothing is downloaded
 * unless the work under way has a source of models: see {@link withModelSource}.
 *
 * `hub:owner/model` and `hub:owner/model@revision` always mean a model of the hub, and
 * `hub:owner/model/file` one file of its repository. `owner/model` and `owner/model@revision` mean one if no
 * file or folder has that name. The name `model+adapter` leads to the model, beside whose weights its config
 * and tokenizer lie. The cache is the one that `hf download` and transformers fill: in
 * `HF_HUB_CACHE`, `HF_HOME/hub`, `XDG_CACHE_HOME/huggingface/hub`, or `~/.cache/huggingface/hub`.
 * @returns the folder of the snapshot, or the file in it; `path` itself if it is not the name of a model, or
 *   there is no cache
 * @throws InputError if the cache lacks the model or the revision; the message lists the available ones
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export async function resolveModelPath(path: string): Promise<string> {
  const adapted = await splitAdaptedName(path);
  return adapted === undefined ? resolveWholeName(path) : resolveModelPath(adapted.model);
}

/**
 * Finds a model or an adapter as {@link resolveModelPath} does, by a name whose plus signs belong to it: an
 * adapter behind it is not split off.
 * @throws InputError if the cache lacks the model or the revision
 */
export async function resolveWholeName(path: string): Promise<string> {
  const hub = await hubNameOf(path);
  if (hub === undefined) return path;
  const source = currentModelSource();
  const folder = await (source === undefined ? findSnapshot(hub, path) : source.fetchModel(hub));
  return hub.file === undefined ? folder : join(folder, ...hub.file.split("/"));
}

/** Returns the model of the hub that a path means; undefined if it means a file or folder. */
export async function hubNameOf(path: string): Promise<HubName | undefined> {
  const named = parseHubName(path);
  if (named !== undefined) return named;
  const plain = parsePlainHubName(path);
  if (plain === undefined || (await exists(path))) return undefined;
  const cache = hubCacheFolder();
  if (await exists(join(cache, hubFolderOf(plain.name)))) return plain;
  // If the first part of the name is an existing folder, the name is meant as a path.
  if (await exists(dirname(plain.name))) return undefined;
  return currentModelSource() !== undefined || (await exists(cache)) ? plain : undefined;
}

/**
 * Finds the folder of the snapshot of a model in the cache.
 * @param path - the name as the user wrote it, for messages
 * @throws InputError if the cache lacks the model or the revision
 */
export async function findSnapshot(hub: HubName, path: string = formatHubName(hub)): Promise<string> {
  const cache = hubCacheFolder();
  const model = join(cache, hubFolderOf(hub.name));
  if (!(await exists(model))) throw await notCached(hub, path, cache);
  const commit = await commitOf(model, hub.revision);
  const folder = commit === undefined ? undefined : join(model, "snapshots", commit);
  if (folder !== undefined && (await exists(folder))) return folder;
  throw await noRevision({ ...hub, path, model });
}

/** Returns the name of the folder of a model in the cache. */
export function hubFolderOf(name: string): string {
  return `models--${name.replace("/", "--")}`;
}

/** Returns the folder of the cache of the Hugging Face hub, which need not exist. */
export function hubCacheFolder(): string {
  // All programs that use the cache find it by these variables.
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env;
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(hubHomeFolder(), "hub");
}

/** Returns the folder in which programs of the Hugging Face hub keep their files, which need not exist. */
export function hubHomeFolder(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Returns the commit of a revision: a name that is looked up, or a commit itself. */
async function commitOf(model: string, revision: string): Promise<string | undefined> {
  if (!isRevision(revision)) return undefined;
  const text = await readFile(join(model, "refs", revision), "utf8").catch(() => revision);
  const commit = text.trim();
  return isRevision(commit) && !commit.includes("/") ? commit : undefined;
}

async function notCached({ name, revision }: HubName, path: string, cache: string): Promise<InputError> {
  const folders = (await readdir(cache).catch(() => [])).filter((folder) => folder.startsWith("models--"));
  const models = folders.map((folder) => folder.slice("models--".length).replace("--", "/")).sort();
  return new InputError(
    `Cannot open "${path}" as ${path.startsWith(HUB_PREFIX) ? "it must be there: there is no such model" : "it must exist: there is no such file or folder, nor such a model"} in the cache of the Hugging Face hub, "${cache}", which holds ${listOf(models)}; download it first: hf download ${name}${revision === "main" ? "" : ` --revision ${revision}`}, or isthmus with --download${name.includes("/") ? "" : `; most models of the hub have an owner in their name: ${HUB_PREFIX}${name}/model`}`,
    { input: path },
  );
}

async function noRevision(place: {
  readonly name: string;
  readonly revision: string;
  readonly path: string;
  readonly model: string;
}): Promise<InputError> {
  const { name, revision, path, model } = place;
  const refs = await readdir(join(model, "refs")).catch(() => []);
  const commits = await readdir(join(model, "snapshots")).catch(() => []);
  return new InputError(
    `Cannot open "${path}" as the cache of the Hugging Face hub must hold its revision "${revision}": "${model}" holds ${listOf([...refs, ...commits])}; download it first: hf download ${name} --revision ${revision}, or isthmus with --download`,
    { input: path },
  );
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const rest = names.length - NAMED;
  return `${names.slice(0, NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
