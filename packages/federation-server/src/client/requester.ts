import { setTimeout } from "node:timers/promises";
import { cutText, InputError, parseJson } from "@isthmus/core";

/** Options of {@link createRequester}. */
export interface RequesterOptions {
  /** Address of the server without a slash at its end. */
  readonly url: string;
  /** Token of the client, which every request carries. */
  readonly token: string;
  /** Milliseconds without an answer after which the client gives up. */
  readonly patience: number;
  /** Signal that stops a request, and the wait before the next attempt. */
  readonly signal: AbortSignal;
  /**
   * Called if the server does not answer, before it is asked again, with the reason and the seconds for which
   * the client goes on asking.
   */
  readonly onLost: (reason: string, secondsLeft: number) => void;
}

type Headers = Readonly<Record<string, string>>;

/** One request. */
export interface Ask {
  /** Method of the request. @defaultValue "GET" */
  readonly method?: string;
  /** Path of the request, with its query, such as `/v1/rounds/current?wait=20`. */
  readonly path: string;
  /** Headers, made again for every attempt. */
  readonly headers?: Headers | (() => Promise<Headers>);
  /** Makes the body, again for every attempt, from the headers of that attempt. @defaultValue no body */
  readonly body?: (headers: Headers) => NonNullable<RequestInit["body"]>;
  /** Statuses above 399 that count as answers, not as errors. */
  readonly accept?: readonly number[];
  /** Statuses after which the request is repeated. */
  readonly retry?: readonly number[];
  /** Function that reads the body of a successful answer. @defaultValue the body is read as JSON */
  readonly read?: (body: AnswerBody, head: AnswerHead) => Promise<void>;
  /** Whether the request fails at once if the server cannot be reached. */
  readonly once?: boolean;
}

/** Status and headers of an answer, which come before its body. */
export type AnswerHead = Pick<Response, "status" | "headers">;

/** Bytes of an answer, as they arrive; nothing if it has no body. */
export type AnswerBody = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** An answer whose body was read. */
export interface Answer extends AnswerHead {
  /** Parses the body as JSON. */
  json(): unknown;
  /** Returns the server's error message. */
  error(): string;
}

/** Function that sends a request to a server, again and again while the server is unreachable. */
export type Requester = (ask: Ask) => Promise<Answer>;

/** Milliseconds until a server is asked again, at first and at most. */
const PAUSE_MS: { readonly first: number; readonly most: number } = { first: 250, most: 10_000 };
/** Statuses of a server that is temporarily unavailable or overloaded. */
const AWAY: readonly number[] = [429, 500, 502, 503, 504];

/** Largest number of bytes of an answer that is no file: names of tensors to keep may take a few MB. */
const MOST_BYTES = 2 ** 24;

/** Largest number of characters of a server's words for people, as many as an honest server sends. */
export const MOST_CHARACTERS = 2000;

/** Pattern of the codes of errors about certificates, which do not go away by waiting. */
const UNTRUSTED = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/** Pattern of codes of errors that a server without TLS causes. */
const NOT_TLS = /SSL_WRONG_VERSION_NUMBER|SSL_PACKET_LENGTH_TOO_LONG|SSL_HTTP_REQUEST/;

/** Creates a requester, which gives up once the server was unreachable for the time of `patience`. */
export function createRequester(options: RequesterOptions): Requester {
  const { patience, signal, onLost } = options;
  return async (ask) => {
    const began = performance.now();
    for (let pause = PAUSE_MS.first; ; pause = Math.min(PAUSE_MS.most, 2 * pause)) {
      const outcome = await attempt(ask, options);
      if (typeof outcome !== "string") return outcome;
      if (ask.once === true || performance.now() - began + pause > patience) {
        throw new InputError(
          `Cannot go on with the federation at ${options.url} as its server must answer: ${outcome}`,
          {
            input: options.url,
          },
        );
      }
      onLost(outcome, Math.round((patience - (performance.now() - began)) / 1000));
      await setTimeout(pause, undefined, { signal });
    }
  };
}

/** Returns the answer, or the reason why there is none. */
async function attempt(ask: Ask, { url, token, signal }: RequesterOptions): Promise<Answer | string> {
  const { method = "GET", path } = ask;
  const headers = typeof ask.headers === "function" ? await ask.headers() : (ask.headers ?? {});
  try {
    const body = ask.body?.(headers);
    const response = await fetch(`${url}${path}`, {
      method,
      signal,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body, duplex: "half" }),
    });
    return await readAnswer(ask, response, url);
  } catch (error) {
    if (signal.aborted || error instanceof InputError) throw error;
    return reasonOf(error as Error & { readonly cause?: { readonly code?: string } }, url);
  }
}

/**
 * Returns the reason why a server did not answer.
 * @throws InputError if another attempt would find the same
 */
function reasonOf(
  { cause, message }: Error & { readonly cause?: { readonly code?: string } },
  url: string,
): string {
  if (UNTRUSTED.test(cause?.code ?? "")) throw untrusted(url, cause);
  if (NOT_TLS.test(cause?.code ?? "")) throw notTls(url, cause);
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}

async function readAnswer(ask: Ask, response: Response, url: string): Promise<Answer | string> {
  const { read, accept = [], retry = [] } = ask;
  if (response.ok && read !== undefined) {
    await read(response.body ?? [], response).catch(async (error: unknown) => {
      // A connection whose body nobody reads would stay open.
      await response.body?.cancel().catch(() => undefined);
      throw error;
    });
    return answerOf(response, "");
  }
  const answer = answerOf(response, await textOf(response, url));
  if (response.ok || accept.includes(response.status)) return answer;
  if (AWAY.includes(response.status) || retry.includes(response.status)) return answer.error();
  throw refused(answer, url);
}

/**
 * Reads the body of an answer.
 * @throws InputError if it is larger than answers may be
 */
async function textOf({ body }: Response, url: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) {
      throw new InputError(
        `Cannot go on with the federation at ${url} as its server's answers must have at most ${MOST_BYTES} bytes: one has more; nothing of it is used`,
        { input: url },
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function answerOf({ status, headers }: Response, text: string): Answer {
  return {
    status,
    headers,
    json: () => parseJson(text, { attempt: "read the answer of the server" }),
    error() {
      // A proxy before the server may answer with messages of another form.
      const [, said] = /^\{"error":("(?:[^"\\]|\\.)*")\}$/.exec(text) ?? [];
      if (said === undefined) return `status ${status}`;
      return cutText(String(parseJson(said, { attempt: "read an error" })), MOST_CHARACTERS);
    },
  };
}

function notTls(url: string, cause: unknown): InputError {
  return new InputError(
    `Cannot join the federation at ${url} as its server must speak https there: this server speaks http; join ${url.replace("https:", "http:")}, or let its owner set "tls"`,
    { input: url, cause },
  );
}

function untrusted(url: string, cause: unknown): InputError {
  return new InputError(
    `Cannot join the federation at ${url} as the certificate of its server must be trusted here: ${(cause as Error).message}; name the certificate, or that of who signed it, when this program is started: NODE_EXTRA_CA_CERTS=FILE.pem`,
    { input: url, cause },
  );
}

function refused(answer: Answer, url: string): InputError {
  if (answer.status === 401) {
    return new InputError(
      `Cannot join the federation at ${url} as the token must be the one that its server made for this client: ${answer.error()}; ask for one made by: isthmus federate token NAME --for FILE.yml -o NAME.token`,
      { input: "token" },
    );
  }
  return new InputError(
    `Cannot go on with the federation at ${url} as its server refuses: ${answer.error()}`,
    {
      input: url,
    },
  );
}
