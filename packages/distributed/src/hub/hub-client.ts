import { setTimeout } from "node:timers/promises";
import { type InputError, parseJson } from "@isthmus/core";
import { type HubAttempt, lostOf, refusalOf, strangeAnswer } from "./hub-errors.ts";
import { type HubSettings, takesToken } from "./hub-settings.ts";

/** Limits on the time that a hub may take. */
export interface HubPatience {
  /** Milliseconds without an answer, or without enough bytes, after which a request counts as lost. */
  readonly silenceMs: number;
  /** Number of bytes that must arrive in that time. */
  readonly leastBytes: number;
  /** Milliseconds before the second attempt; they double with each. */
  readonly pauseMs: number;
  /** Longest time in milliseconds that a hub may ask to wait before another attempt. */
  readonly longestWaitMs: number;
}

/** Patience with the public hub. */
export const HUB_PATIENCE: HubPatience = {
  silenceMs: 30_000,
  leastBytes: 2 ** 15,
  pauseMs: 500,
  longestWaitMs: 120_000,
};

/** Options of {@link createHubClient}. */
export interface HubClientOptions extends Pick<HubSettings, "endpoint" | "token"> {
  /** Signal that ends every request. */
  readonly signal: AbortSignal;
  /** Limits on time. @defaultValue {@link HUB_PATIENCE} */
  readonly patience?: HubPatience;
}

/** One request to the hub. */
export interface HubRequest {
  /** Path with a query, such as `/api/models/owner/model`, or an address on the same host. */
  readonly path: string;
  /** The attempt in words, for messages. */
  readonly attempt: string;
  /** Value of the header `range`. @defaultValue the whole body is asked for */
  readonly range?: string | undefined;
  /** Statuses above 399 that are returned rather than thrown. @defaultValue none */
  readonly accept?: readonly number[];
}

/** An answer as JSON. */
export interface HubJson {
  /** Parsed body. */
  readonly value: unknown;
  /** Address of the next page; undefined if this is the last. */
  readonly next: string | undefined;
}

/** Asks a hub, again if it is away or asks to wait. */
export interface HubClient {
  /** Address of the hub. */
  readonly endpoint: string;
  /** Limits on time. */
  readonly patience: HubPatience;
  /** Requests a body as JSON. @throws InputError if the hub refuses @throws FormatError if it is too long */
  json(request: HubRequest): Promise<HubJson>;
  /** Requests a body as a stream. @throws InputError if the hub refuses or cannot be reached */
  open(request: HubRequest): Promise<Response>;
  /** Reads the bytes of an answer as they come. @throws Error of the connection if it breaks or stalls */
  chunks(response: Response): AsyncGenerator<Uint8Array>;
}

/** Number of attempts at a request. */
const ATTEMPTS = 5;
/** Number of redirections that are followed. */
const MAX_REDIRECTIONS = 5;
/** Longest answer as JSON, in bytes, unpacked: a page of a listing has about 300,000. */
const MAX_JSON = 16 * 2 ** 20;
/** Statuses of a hub that is away for a moment, or asks to wait. */
const AWAY: readonly number[] = [408, 429, 500, 502, 503, 504];
const REDIRECTIONS: readonly number[] = [301, 302, 303, 307, 308];

/** Creates a client of a hub. Nothing is sent before its functions are called. */
export function createHubClient(options: HubClientOptions): HubClient {
  const { endpoint, token, signal, patience = HUB_PATIENCE } = options;
  const open = async (request: HubRequest): Promise<Response> => {
    const told: HubAttempt = { attempt: request.attempt, endpoint, hasToken: token !== undefined };
    for (let attempt = 0; ; attempt++) {
      const outcome = await ask(request, { ...options, patience }, told);
      if (outcome instanceof Response) return outcome;
      const { refusal, wait = patience.pauseMs * 2 ** attempt } = outcome;
      if (attempt + 1 === ATTEMPTS || wait > patience.longestWaitMs) throw refusal;
      await setTimeout(wait, undefined, { signal });
    }
  };
  const chunks = (response: Response) => readChunks(response, signal, patience);
  return {
    endpoint,
    patience,
    open,
    chunks,
    async json(request) {
      const response = await open(request);
      const value = await readJson(chunks(response), request);
      return { value, next: nextPage(response, endpoint) };
    },
  };
}

/** An attempt without an answer, after which another one may have one. */
interface Away {
  /** Error to throw if there is no further attempt. */
  readonly refusal: InputError;
  /** Milliseconds that the hub asks to wait; undefined if it does not say. */
  readonly wait: number | undefined;
}

/** Options of {@link createHubClient} with the limits on time. */
type PatientOptions = HubClientOptions & { readonly patience: HubPatience };

/** Makes one attempt at a request. @throws InputError if another would be refused, too */
async function ask(request: HubRequest, options: PatientOptions, told: HubAttempt): Promise<Response | Away> {
  try {
    const response = await follow(request, options, told);
    const { status } = response;
    if (status < 400 || request.accept?.includes(status)) return response;
    await response.body?.cancel().catch(() => {});
    const refusal = refusalOf(status, told);
    if (!AWAY.includes(status)) throw refusal;
    return { refusal, wait: askedWait(response) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!isLost(error)) throw error;
    return { refusal: lostOf(lossOf(error), told), wait: undefined };
  }
}

/** Sends a request and follows redirections; the token goes to the endpoint alone. */
async function follow(
  { path, range, attempt }: HubRequest,
  { endpoint, token, signal, patience }: PatientOptions,
  told: HubAttempt,
): Promise<Response> {
  let url = new URL(path.startsWith("/") ? `${endpoint}${path}` : path);
  for (let hops = 0; hops <= MAX_REDIRECTIONS; hops++) {
    const headers = {
      // A packed body could be larger than it says, and a range of it means nothing.
      "accept-encoding": "identity",
      "user-agent": "isthmus",
      ...(range !== undefined && { range }),
      ...(token !== undefined && takesToken(endpoint, url) && { authorization: `Bearer ${token}` }),
    };
    const response = await fetchInTime(url, { headers, signal, patience });
    const place = REDIRECTIONS.includes(response.status) ? response.headers.get("location") : null;
    if (place === null) return response;
    await response.body?.cancel().catch(() => {});
    if (!URL.canParse(place, url.href))
      throw strangeAnswer({ attempt }, "a redirection must name an address");
    const next = new URL(place, url);
    const isEncrypted = next.protocol === "https:" || (next.protocol === "http:" && url.protocol === "http:");
    if (!isEncrypted) {
      throw strangeAnswer(
        { attempt },
        `a redirection must stay encrypted: it leads from ${url.protocol}//${url.host} to ${next.protocol}//${next.host}`,
      );
    }
    url = next;
  }
  throw strangeAnswer(
    { attempt },
    `${told.endpoint} may redirect ${MAX_REDIRECTIONS} times at most: it redirects again and again`,
  );
}

/** A failure of the connection, after which a request is made again. */
export class LostError extends Error {}

interface TimedFetch {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly patience: HubPatience;
}

async function fetchInTime(url: URL, { headers, signal, patience }: TimedFetch): Promise<Response> {
  const silence = new AbortController();
  const timer = globalThis.setTimeout(() => silence.abort(), patience.silenceMs);
  try {
    // The body ends with the signal of the user alone; its silence is watched while it is read.
    const either = AbortSignal.any([signal, silence.signal]);
    return await fetch(url, { headers, redirect: "manual", signal: either });
  } catch (error) {
    if (silence.signal.aborted) throw new LostError(`no answer for ${patience.silenceMs / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function* readChunks(
  response: Response,
  signal: AbortSignal,
  { silenceMs, leastBytes }: HubPatience,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let arrived = 0;
  let isSlow = false;
  // A body that drips would keep a command for years: each span of time must bring some bytes.
  const watch = setInterval(() => {
    if (arrived < leastBytes) {
      isSlow = true;
      void reader.cancel().catch(() => {});
    }
    arrived = 0;
  }, silenceMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (isSlow) throw new LostError(`fewer than ${leastBytes} bytes came in ${silenceMs / 1000} s`);
      if (done) return;
      arrived += value.length;
      yield value;
    }
  } finally {
    clearInterval(watch);
    void reader.cancel().catch(() => {});
  }
}

async function readJson(chunks: AsyncIterable<Uint8Array>, { attempt }: HubRequest): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MAX_JSON)
      throw strangeAnswer({ attempt }, `an answer may have ${MAX_JSON} bytes: it has more`);
    parts.push(chunk);
  }
  return parseJson(Buffer.concat(parts).toString("utf8"), {
    attempt: `read the answer of the hub, to ${attempt}`,
  });
}

/** Returns the milliseconds that the hub asks to wait; undefined if it does not say. */
function askedWait({ headers }: Response): number | undefined {
  const text = headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now());
}

/** Returns the address of the next page in the header `link`, if it is on the same host. */
function nextPage({ headers }: Response, endpoint: string): string | undefined {
  const [, address] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get("link") ?? "") ?? [];
  if (address === undefined || !URL.canParse(address, endpoint)) return undefined;
  const url = new URL(address, endpoint);
  return url.origin === new URL(endpoint).origin ? url.href : undefined;
}

/** Checks whether an error is one of the connection, after which another attempt may succeed. */
export function isLost(error: unknown): boolean {
  if (error instanceof LostError) return true;
  return error instanceof TypeError && (error.message === "fetch failed" || error.message === "terminated");
}

/** Returns the reason of a lost connection in words. */
export function lossOf(error: unknown): string {
  const { cause, message } = error as Error & { readonly cause?: unknown };
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
