import { mkdir, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatHubName, type HubName, InputError, UnsupportedError, waitForLock } from "@isthmus/core";
import { type CachePlaces, cachePlaces, isCached, linkFile, noteRevision } from "./cache-places.ts";
import { chooseHubFiles } from "./choose-files.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { createHubClient, type HubClient, type HubPatience } from "./hub-client.ts";
import type { HubSettings } from "./hub-settings.ts";
import { assertStorable, type HubFile, listRepository } from "./list-repository.ts";

/** The files of a model that are about to be fetched, and their sizes. */
export interface DownloadEstimate {
  /** Name of the model as a user writes it. */
  readonly name: string;
  /** Commit of the revision, 40 hexadecimal digits. */
  readonly commit: string;
  /** Number of files that the model needs. */
  readonly files: number;
  /** Bytes of all files that the model needs. */
  readonly bytes: number;
  /** Number of files that are not in the cache. */
  readonly missingFiles: number;
  /** Bytes of the files that are not in the cache; what an interrupted download left of them counts, too. */
  readonly missingBytes: number;
  /** Folder of the cache. */
  readonly cache: string;
}

/** Options of {@link downloadModel}. */
export interface DownloadModelOptions {
  /** Address, token and cache. */
  readonly settings: HubSettings;
  /** Signal that stops the download; what has come is kept. */
  readonly signal: AbortSignal;
  /** Called once before any file is fetched. @defaultValue no function is called */
  readonly onStart?: (estimate: DownloadEstimate) => void;
  /** Called with the fetched and the missing bytes, as they come. @defaultValue no function is called */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called while another process fetches the same model. @defaultValue no function is called */
  readonly onWait?: (who: string) => void;
  /** Limits on time. @defaultValue `HUB_PATIENCE` */
  readonly patience?: HubPatience;
}

/** Largest file that the hub serves and takes by plain HTTP, in bytes. */
export const MAX_FILE_BYTES = 50e9;
/** Number of files that are fetched at once: one connection seldom fills a line, and many are slowed down. */
const CONNECTIONS = 4;

/**
 * Fetches the files of a model that are not in the cache of the Hugging Face hub, in the layout that
 * huggingface_hub writes and reads. One process at a time fetches a model; another one waits and then finds
 * the files. The commit of the revision is asked for once, and all files are of that commit. The
 * snapshot gets its links, and the branch its commit, once all contents are there.
 * @returns the folder of the snapshot
 * @throws InputError if the hub refuses or cannot be reached, or the disk is full
 * @throws FormatError if the hub answers as none does: wrong digests or sizes, paths that lead elsewhere
 *
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
export async function downloadModel(hub: HubName, options: DownloadModelOptions): Promise<string> {
  const { settings, signal, onWait = () => {}, ...others } = options;
  const name = formatHubName(hub);
  const attempt = `download "${name}"`;
  const stop = new AbortController();
  const client = createHubClient({ ...others, ...settings, signal: AbortSignal.any([signal, stop.signal]) });
  const { commit, files } = await listRepository(client, hub, attempt);
  const chosen = chooseHubFiles(hub, files);
  const needed = [...new Set([...chosen.weights, ...chosen.others])];
  for (const file of needed) assertFetched(file, attempt);
  const places = cachePlaces(settings.cache, hub.name, commit);
  await makeFolder(dirname(places.lock));
  const release = await waitForLock(places.lock, { signal, onWait });
  try {
    const missing = await missingOf(places, needed);
    options.onStart?.({
      name,
      commit,
      files: needed.length,
      bytes: bytesOf(needed),
      missingFiles: missing.length,
      missingBytes: bytesOf(missing),
      cache: settings.cache,
    });
    await assertRoom(settings.cache, bytesOf(missing), attempt);
    await fetchAll(client, { hub, commit, places, missing, attempt }, { ...options, stop });
    // Configs come last, as a snapshot without one is not taken for a model.
    for (const file of needed) await linkFile(places, file);
    await noteRevision(places, hub.revision, commit);
    return places.snapshot;
  } finally {
    await release();
  }
}

/** Files that are fetched of one commit. */
interface Fetching {
  readonly hub: HubName;
  readonly commit: string;
  readonly places: CachePlaces;
  readonly missing: readonly HubFile[];
  readonly attempt: string;
}

/** Fetches files over a few connections at once; the first failure stops all. */
async function fetchAll(
  client: HubClient,
  { hub, commit, places, missing, attempt }: Fetching,
  { signal, onProgress, stop }: DownloadModelOptions & { readonly stop: AbortController },
): Promise<void> {
  const total = bytesOf(missing);
  const done = new Map<HubFile, number>();
  const waiting = missing.values();
  const fetchWaiting = async () => {
    for (const file of waiting) {
      signal.throwIfAborted();
      await fetchBlob(client, {
        file,
        path: contentPath(hub, commit, file),
        blob: places.blobOf(file),
        attempt,
        onBytes(bytes) {
          done.set(file, bytes);
          onProgress?.(
            [...done.values()].reduce((sum, part) => sum + part, 0),
            total,
          );
        },
      });
    }
  };
  let failure: { readonly error: unknown } | undefined;
  const connections = Array.from({ length: CONNECTIONS }, () =>
    fetchWaiting().catch((error: unknown) => {
      failure ??= { error };
      stop.abort();
    }),
  );
  // The lock is held until nobody writes any more.
  await Promise.all(connections);
  if (failure !== undefined) throw failure.error;
}

/** Returns the path on the hub under which the content of a file is found. */
export function contentPath({ name }: HubName, commit: string, { path }: HubFile): string {
  return `/${name}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

function assertFetched(file: HubFile, attempt: string): void {
  assertStorable(file, attempt);
  if (file.size <= MAX_FILE_BYTES) return;
  throw new UnsupportedError(
    `Cannot ${attempt} as the hub serves files up to ${MAX_FILE_BYTES / 1e9} GB to programs without its own protocol: "${file.path}" has ${(file.size / 1e9).toFixed(1)} GB; run hf download, after pip install hf_xet`,
    { feature: "xet" },
  );
}

/** Lists files whose content is not in the cache, each content once. */
async function missingOf(places: CachePlaces, files: readonly HubFile[]): Promise<readonly HubFile[]> {
  const missing = new Map<string, HubFile>();
  for (const file of files) if (!(await isCached(places, file))) missing.set(file.digest, file);
  return [...missing.values()];
}

function bytesOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new InputError(`Cannot write to "${folder}" as it must be a folder that can be made`, {
      input: folder,
      cause,
    });
  }
}

/** @throws InputError if the disk has less room than the missing files need */
async function assertRoom(cache: string, bytes: number, attempt: string): Promise<void> {
  const folder = (await stat(cache).catch(() => undefined)) === undefined ? dirname(cache) : cache;
  const space = await statfs(folder).catch(() => undefined);
  if (space === undefined || space.blocks === 0) return;
  const free = space.bavail * space.bsize;
  if (bytes <= free) return;
  throw new InputError(
    `Cannot ${attempt} as the disk of "${cache}" must have room for it: it needs ${(bytes / 1e9).toFixed(1)} GB, and ${(free / 1e9).toFixed(1)} GB are free; free some space, or name another folder by HF_HOME`,
    { input: cache },
  );
}
