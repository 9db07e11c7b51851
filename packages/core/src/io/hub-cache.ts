import { dirname, homedir, join, process, readdir, readFile, stat } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import { FILE_NAME, HUB_NAME } from "./open-file.ts";

/** Maximum number of models that a message names. */
const NAMED = 10;

/** Pattern of names of branches, tags, pull requests and commits. */
const REVISION = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/;

/**
 * Finds the folder of a model of the Hugging Face hub in the cache on this machine; nothing is downloaded.
 *
 * A file or folder of that name takes precedence. Otherwise `owner/model`, or `owner/model@revision`, is
 * looked up in the cache that `hf download` and transformers fill: in `HF_HUB_CACHE`, `HF_HOME/hub`,
 * `XDG_CACHE_HOME/huggingface/hub`, or `~/.cache/huggingface/hub`.
 * @returns the folder of the snapshot; `path` itself if it is not the name of a model, or there is no cache
 * @throws InputError if the cache lacks the model or the revision; the message lists the available ones
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export async function resolveModelPath(path: string): Promise<string> {
  const [name = path, revision = "main", ...rest] = path.split("@");
  if (rest.length > 0 || !HUB_NAME.test(name) || FILE_NAME.test(path) || (await exists(path))) return path;
  const cache = cacheFolder();
  if (!(await exists(cache))) return path;
  const model = join(cache, folderOf(name));
  if (!(await exists(model))) {
    // If the first part of the name is an existing folder, the name is meant as a path.
    if (await exists(dirname(name))) return path;
    throw await notCached(name, cache);
  }
  const snapshots = join(model, "snapshots");
  const commit = await commitOf(model, revision);
  const folder = commit === undefined ? undefined : join(snapshots, commit);
  if (folder !== undefined && (await exists(folder))) return folder;
  throw await noRevision({ name, revision, model });
}

const folderOf = (name: string): string => `models--${name.replace("/", "--")}`;

function cacheFolder(): string {
  // All programs that use the cache find it by these variables.
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub");
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Returns the commit of a revision: a name that is looked up, or a commit itself. */
async function commitOf(model: string, revision: string): Promise<string | undefined> {
  if (!REVISION.test(revision) || revision.includes("..")) return undefined;
  const text = await readFile(join(model, "refs", revision), "utf8").catch(() => revision);
  const commit = text.trim();
  return REVISION.test(commit) && !commit.includes("/") ? commit : undefined;
}

async function notCached(name: string, cache: string): Promise<InputError> {
  const folders = (await readdir(cache).catch(() => [])).filter((folder) => folder.startsWith("models--"));
  const models = folders.map((folder) => folder.slice("models--".length).replace("--", "/")).sort();
  return new InputError(
    `Cannot open "${name}" as it must exist: there is no such file or folder, nor such a model in the cache of the Hugging Face hub, "${cache}", which holds ${listOf(models)}; download it first: hf download ${name}`,
    { input: name },
  );
}

async function noRevision(place: {
  readonly name: string;
  readonly revision: string;
  readonly model: string;
}): Promise<InputError> {
  const { name, revision, model } = place;
  const refs = await readdir(join(model, "refs")).catch(() => []);
  const commits = await readdir(join(model, "snapshots")).catch(() => []);
  return new InputError(
    `Cannot open "${name}" as the cache of the Hugging Face hub must hold its revision "${revision}": "${model}" holds ${listOf([...refs, ...commits])}; download it first: hf download ${name} --revision ${revision}`,
    { input: name },
  );
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const rest = names.length - NAMED;
  return `${names.slice(0, NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
