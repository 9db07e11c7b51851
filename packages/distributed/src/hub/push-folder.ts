import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type * as Hub from "@huggingface/hub";
import { InputError, UnsupportedError } from "@isthmus/core";
import { MAX_FILE_BYTES } from "./download-model.ts";
import { createHubClient } from "./hub-client.ts";
import { refusalOf } from "./hub-errors.ts";
import { type HubSettings, takesToken } from "./hub-settings.ts";

/** A file to send: its path in the repository, and its content on this machine. */
export interface PushedFile {
  /** Path in the repository, with slashes. */
  readonly path: string;
  /** Size in bytes. */
  readonly size: number;
  /** Path of the file, or its text if it is not on the disk. */
  readonly content: { readonly file: string } | { readonly text: string };
}

/** Options of {@link pushFolder}. */
export interface PushFolderOptions {
  /** Address and token. */
  readonly settings: HubSettings;
  /** Files of the commit; files of the repository that are not among them stay. */
  readonly files: readonly PushedFile[];
  /** Name of the repository: `owner/name`. */
  readonly name: string;
  /** Branch that gets the commit. */
  readonly branch: string;
  /** First line of the message of the commit. */
  readonly message: string;
  /** Whether the repository and the branch are made if they are missing: to be seen by all, or not. */
  readonly create: "public" | "private" | undefined;
  /** Signal that stops the push; the repository stays as it was. */
  readonly signal: AbortSignal;
  /** Called with the step under way and the share of all bytes that is done. */
  readonly onProgress: (step: string, share: number) => void;
}

/** The commit that a push made. */
export interface PushedCommit {
  /** Name of the account whose token was used. */
  readonly account: string;
  /** Commit, in hexadecimal digits. */
  readonly commit: string;
  /** Address of the commit on the hub. */
  readonly url: string;
}

/**
 * Sends files to a repository on the Hugging Face hub by its own library, in one commit: large files first,
 * which nobody sees before the commit names them; so the repository is as before, or has all files. A push
 * that was stopped and is made again does not send large files twice.
 * @throws UnsupportedError if a file is larger than the hub takes
 * @throws InputError if the library is not installed, no token is found, or the hub refuses
 */
export async function pushFolder(options: PushFolderOptions): Promise<PushedCommit> {
  const { settings, name, branch, signal } = options;
  const attempt = attemptOf(name);
  assertSizes(options.files, attempt);
  const hub = await loadHub(attempt);
  assertMayPush(settings, name);
  const client = createHubClient({ ...settings, signal });
  const { value } = await client.json({ path: "/api/whoami-v2", attempt });
  const shared = { repo: { type: "model", name } as const, hubUrl: settings.endpoint };
  const ask = { ...shared, fetch: tokenFetch(settings, signal) };
  try {
    if (options.create !== undefined) await createPlace(hub, ask, options);
    const commit = await follow(
      hub.commitIter({
        ...ask,
        title: options.message,
        branch,
        abortSignal: signal,
        // Its own protocol for large files would ask for more packages and more hosts.
        useXet: false,
        operations: options.files.map(({ path, content }) => ({
          operation: "addOrUpdate" as const,
          path,
          content: "text" in content ? new Blob([content.text]) : pathToFileURL(content.file),
        })),
      }),
      options,
    );
    const account = (value as { readonly name?: unknown } | null)?.name;
    return { ...commit, account: typeof account === "string" ? account : "unknown" };
  } catch (error) {
    signal.throwIfAborted();
    throw explain(error, attempt, settings);
  }
}

function assertSizes(files: readonly PushedFile[], attempt: string): void {
  const large = files.find(({ size }) => size > MAX_FILE_BYTES);
  if (large === undefined) return;
  throw new UnsupportedError(
    `Cannot ${attempt} as the hub takes files up to ${MAX_FILE_BYTES / 1e9} GB from programs without its own protocol: "${large.path}" has ${(large.size / 1e9).toFixed(1)} GB; write the weights in smaller files, by isthmus convert with --max-shard-size 5GB`,
    { feature: "xet" },
  );
}

async function loadHub(attempt: string): Promise<typeof Hub> {
  try {
    return await import("@huggingface/hub");
  } catch (cause) {
    throw new InputError(
      `Cannot ${attempt} as the library of the hub must be installed: "@huggingface/hub" is not there; run npm install @huggingface/hub`,
      { input: "@huggingface/hub", cause },
    );
  }
}

function attemptOf(name: string): string {
  return `push to "hub:${name}"`;
}

/**
 * Checks that settings allow to push to a repository; no request is made.
 * @throws InputError if requests are forbidden, no token is found, or the token would travel unencrypted
 */
export function assertMayPush({ endpoint, token, isOffline }: HubSettings, name: string): void {
  const fail = (why: string) => new InputError(`Cannot ${attemptOf(name)} as ${why}`, { input: endpoint });
  if (isOffline) throw fail("HF_HUB_OFFLINE must not be set: it forbids every request");
  if (token === undefined) throw fail("a token that may write is needed: set HF_TOKEN, or run hf auth login");
  if (takesToken(endpoint, new URL(endpoint))) return;
  throw fail(`the token must travel encrypted: ${endpoint} is not https`);
}

/** Options that every request of a push has. */
interface PushAsk {
  readonly repo: { readonly type: "model"; readonly name: string };
  readonly hubUrl: string;
  readonly fetch: typeof fetch;
}

/** Creates the repository and the branch if they are missing. */
async function createPlace(
  hub: typeof Hub,
  ask: PushAsk,
  { create, branch }: PushFolderOptions,
): Promise<void> {
  try {
    // The token is added by `ask.fetch`, to requests to the endpoint alone.
    await hub.createRepo({
      ...ask,
      visibility: create === "private" ? "private" : "public",
      accessToken: "hf_",
    });
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
  if (branch !== "main") await hub.createBranch({ ...ask, branch, overwrite: true });
}

type CommitSteps = ReturnType<typeof Hub.commitIter>;

/** Follows the steps of a commit to its end. */
async function follow(
  steps: CommitSteps,
  { files, onProgress }: PushFolderOptions,
): Promise<Pick<PushedCommit, "commit" | "url">> {
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const total = Math.max(
    1,
    files.reduce((sum, { size }) => sum + size, 0),
  );
  const done = new Map<string, number>();
  for (;;) {
    const step = await steps.next();
    if (step.done) {
      const { oid = "", url = "" } = step.value?.commit ?? {};
      return { commit: oid, url };
    }
    const event = step.value;
    if (event.event === "phase") {
      done.clear();
      onProgress(PHASES[event.phase], 0);
      continue;
    }
    // Each file is hashed and then sent.
    const half = event.state === "hashing" ? event.progress / 2 : 0.5 + event.progress / 2;
    done.set(event.path, half * (sizes.get(event.path) ?? 0));
    const bytes = [...done.values()].reduce((sum, part) => sum + part, 0);
    onProgress(event.state === "hashing" ? "Hashing" : "Sending", bytes / total);
  }
}

const PHASES = {
  preuploading: "Asking what to send",
  uploadingLargeFiles: "Sending large files",
  committing: "Making the commit",
} as const;

/** Statuses of a hub that has not begun to treat a request. */
const AWAY: readonly number[] = [429, 503];
const ATTEMPTS = 4;

/**
 * Makes the function that sends the requests of the library: with the token to the endpoint alone, and again
 * if the hub is away, unless the request makes a commit, which might be there already.
 */
function tokenFetch({ endpoint, token }: HubSettings, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    headers.delete("authorization");
    if (token !== undefined && takesToken(endpoint, url)) headers.set("authorization", `Bearer ${token}`);
    for (let attempt = 1; ; attempt++) {
      // A redirection could carry the token, or the files, to another host.
      const response = await fetch(url, { ...init, headers, signal, redirect: "error" });
      const isLast = attempt === ATTEMPTS || url.pathname.includes("/commit/");
      if (isLast || !AWAY.includes(response.status)) return response;
      await response.body?.cancel().catch(() => {});
      await setTimeout(waitOf(response, attempt), undefined, { signal });
    }
  };
}

function waitOf({ headers }: Response, attempt: number): number {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(60, seconds) * 1000 : 500 * 2 ** attempt;
}

function statusOf(error: unknown): number | undefined {
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : undefined;
}

/** Returns the error for what the library threw. */
function explain(error: unknown, attempt: string, { endpoint }: HubSettings): unknown {
  const status = statusOf(error);
  if (status === 404) {
    return new InputError(
      `Cannot ${attempt} as the repository and its branch must be on the hub, and the token must be allowed to see them: there is no such one; add --create to make it`,
      { input: endpoint, cause: error },
    );
  }
  if (status !== undefined) return refusalOf(status, { attempt, endpoint, hasToken: true });
  if (!(error instanceof TypeError)) return error;
  const { cause, message } = error;
  const why = cause instanceof Error && cause.message !== "" ? cause.message : message;
  return new InputError(
    `Cannot ${attempt} as ${endpoint} must answer: ${why}; nothing was published, try again`,
    {
      input: endpoint,
      cause: error,
    },
  );
}
