import { type HubName, isRevision } from "@isthmus/core";
import type { HubClient } from "./hub-client.ts";
import { strangeAnswer } from "./hub-errors.ts";

/** A file of a repository, as the hub lists it. */
export interface HubFile {
  /** Path in the repository, with slashes. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Digest of the content, in hexadecimal digits; it is also the name of the blob in the cache. */
  readonly digest: string;
  /** Kind of the digest: SHA-256 for large files, else the SHA-1 of git. */
  readonly digestKind: "sha256" | "git";
}

/** The files of a repository at one commit. */
export interface HubListing {
  /** Commit of the revision, 40 hexadecimal digits. */
  readonly commit: string;
  /** All files of the commit. */
  readonly files: readonly HubFile[];
}

/** Maximum number of files and folders of a repository that are looked at. */
const MAX_ENTRIES = 100_000;
/** Longest path in a repository, and longest part of one, in bytes: file systems take no longer ones. */
const [MAX_PATH, MAX_PART] = [1024, 255];

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/**
 * Characters that no path may have: control characters, and characters that Windows takes for something else.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it searches for them.
const FORBIDDEN = /[\0-\u001f\u007f\\:*?"<>|]/;
/** Names that Windows takes for devices, whatever their endings. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Asks the hub for the commit of a revision, and for the files of that commit. */
export async function listRepository(client: HubClient, hub: HubName, attempt: string): Promise<HubListing> {
  const commit = await commitOf(client, hub, attempt);
  const files: HubFile[] = [];
  let page: string | undefined = `/api/models/${hub.name}/tree/${commit}?recursive=true&expand=false`;
  let entries = 0;
  while (page !== undefined) {
    const { value, next } = await client.json({ path: page, attempt });
    if (!Array.isArray(value))
      throw strangeAnswer({ attempt }, "the hub must list files: its answer is no list");
    entries += value.length;
    // An empty page that names another would never end.
    if (entries > MAX_ENTRIES || (value.length === 0 && next !== undefined)) {
      throw strangeAnswer(
        { attempt },
        `the repository may have ${MAX_ENTRIES} files and folders: the hub lists more`,
      );
    }
    for (const listed of value) {
      const file = fileOf(listed, attempt);
      if (file !== undefined) files.push(file);
    }
    page = next;
  }
  return { commit, files };
}

async function commitOf(client: HubClient, { name, revision }: HubName, attempt: string): Promise<string> {
  if (!isRevision(revision)) {
    throw strangeAnswer({ attempt }, "a revision must be a branch, a tag or a commit: this is not one");
  }
  if (SHA1.test(revision)) return revision;
  const path = `/api/models/${name}/revision/${encodeURIComponent(revision)}`;
  const { value } = await client.json({ path, attempt });
  const commit = fieldsOf(value)["sha"];
  if (typeof commit === "string" && SHA1.test(commit)) return commit;
  throw strangeAnswer({ attempt }, "the hub must name the commit of the revision: it does not");
}

/** Reads an entry of a listing; undefined for folders. */
function fileOf(listed: unknown, attempt: string): HubFile | undefined {
  const { type, path, size, oid, lfs } = fieldsOf(listed);
  if (type === "directory") return undefined;
  const large = lfs === undefined || lfs === null ? undefined : fieldsOf(lfs);
  const digest = large === undefined ? oid : large["oid"];
  const bytes = large === undefined ? size : (large["size"] ?? size);
  const isDigest = typeof digest === "string" && (large === undefined ? SHA1 : SHA256).test(digest);
  if (typeof path !== "string" || !isDigest || typeof bytes !== "number" || !isSize(bytes)) {
    throw strangeAnswer(
      { attempt },
      "each file of the listing must have a path, a size and a digest: one has not",
    );
  }
  assertInside(path, attempt);
  return { path, size: bytes, digest, digestKind: large === undefined ? "git" : "sha256" };
}

function isSize(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

/** @throws FormatError if a path leads out of the repository: an honest hub lists none */
function assertInside(path: string, attempt: string): void {
  const parts = path.split("/");
  if (parts.every((part) => part !== "" && part !== "." && part !== "..") && !path.includes("\0")) return;
  throw strangeAnswer(
    { attempt },
    `paths of a repository must stay within it: the hub lists ${JSON.stringify(path.slice(0, 100))}`,
  );
}

/**
 * Checks that a file can be stored under its path on every system.
 * @throws FormatError if the path is too long, or has characters or names with a meaning of their own
 */
export function assertStorable({ path }: HubFile, attempt: string): void {
  const parts = path.split("/");
  const isLong =
    Buffer.byteLength(path) > MAX_PATH || parts.some((part) => Buffer.byteLength(part) > MAX_PART);
  const isStrange = FORBIDDEN.test(path) || parts.some((part) => DEVICE.test(part) || /[. ]$/.test(part));
  if (!isLong && !isStrange) return;
  const shown = JSON.stringify(path.slice(0, 100));
  throw strangeAnswer(
    { attempt },
    `paths of its files must be storable on every system: ${shown} is ${isLong ? `longer than ${MAX_PATH} bytes, or a part of it than ${MAX_PART}` : "a device or has characters with a meaning of their own"}`,
  );
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
