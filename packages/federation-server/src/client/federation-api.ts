import { Readable } from "node:stream";
import { InputError } from "@isthmus/core";
import type { ClientMessage, SecureTask } from "@isthmus/federated";
import { fileSize, streamPieces } from "../store/read-pieces.ts";
import { downloadFile } from "./download-file.ts";
import { type FederationAbout, parseAbout } from "./parse-about.ts";
import { parseTask, type TaskAnswer } from "./parse-task.ts";
import { createRequester, type Requester, type RequesterOptions } from "./requester.ts";

/** Claim of a client about its update, whose bytes were uploaded before. */
export interface UpdateClaim {
  /** SHA-256 of the uploaded bytes, in hexadecimal. */
  readonly hash: string;
  /** Number of examples that the client trained on; 1 if the number is hidden. */
  readonly examples: number;
  /**
   * Mean loss of the round's network on the client's examples, before its work; absent for private and
   * masked updates.
   */
  readonly loss?: number | undefined;
  /** Further numbers that the client measured, by name; absent for private and masked updates. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
}

/** Answer of a server that an update does not count. */
export interface RefusedClaim {
  /**
   * `missing`: the bytes are not at the server. `untimely`: the update does not fit the round. `unusable`:
   * the bytes cannot count, also if they are sent again.
   */
  readonly kind: "missing" | "untimely" | "unusable";
  /** Reason of the refusal, for people. */
  readonly reason: string;
}

/** Kinds of refusals by the status of the answer. */
const REFUSALS: ReadonlyMap<number, RefusedClaim["kind"]> = new Map([
  [404, "missing"],
  [409, "untimely"],
  [422, "unusable"],
]);

/** The protocol of a federation from the side of a client; requests are repeated after a lost connection. */
export interface FederationApi {
  /** Reads the server's description of the federation. */
  about(): Promise<FederationAbout>;
  /** Asks for the client's task, and waits for the answer at most `wait` seconds. */
  task(wait: number): Promise<TaskAnswer>;
  /** Leaves the federation; fails at once if the server is unreachable. */
  leave(): Promise<void>;
  /** Downloads a global network into a file, and continues a download that was interrupted. */
  download(hash: string, path: string): Promise<void>;
  /** Downloads the graph into a file. */
  graph(path: string): Promise<void>;
  /** Uploads the bytes of a file, and continues an upload that was interrupted. */
  upload(path: string, hash: string): Promise<void>;
  /** Submits uploaded bytes as the update of a round; returns why they do not count, or `undefined`. */
  send(round: number, claim: UpdateClaim): Promise<RefusedClaim | undefined>;
  /** Reads the client's next step in a secure sum; undefined if the sum went on without this client. */
  secure(round: number): Promise<SecureTask | undefined>;
  /** Sends a message of a secure sum; returns why the message was not accepted, or `undefined`. */
  sendSecure(round: number, message: ClientMessage): Promise<string | undefined>;
}

/** Number of attempts at an upload whose bytes arrive with another hash. */
const UPLOADS = 3;

/** Options of {@link createFederationApi}. */
export interface FederationApiOptions extends RequesterOptions {
  /** Largest number of bytes of a network or a graph that is downloaded. */
  readonly mostBytes: number;
}

/** Creates the client's side of the protocol. */
export function createFederationApi({ mostBytes: most, ...options }: FederationApiOptions): FederationApi {
  const request = createRequester(options);
  return {
    about: async () => parseAbout((await request({ path: "/v1/federation" })).json()),
    task: async (wait) => parseTask((await request({ path: `/v1/rounds/current?wait=${wait}` })).json()),
    async leave() {
      await request({ method: "DELETE", path: "/v1/membership", once: true });
    },
    download: (hash, path) =>
      downloadFile(request, { what: "network", address: `/v1/models/${hash}`, path, hash, most }),
    graph: (path) => downloadFile(request, { what: "graph", address: "/v1/graph", path, most }),
    upload: (path, hash) => upload(request, path, hash),
    async send(round, claim) {
      const answer = await request({
        method: "POST",
        path: `/v1/rounds/${round}/updates`,
        accept: [...REFUSALS.keys()],
        headers: { "content-type": "application/json" },
        body: () => JSON.stringify(claim),
      });
      const kind = REFUSALS.get(answer.status);
      return kind === undefined ? undefined : { kind, reason: answer.error() };
    },
    async secure(round) {
      const answer = await request({ path: `/v1/rounds/${round}/secure`, accept: [409] });
      return answer.status === 200 ? (answer.json() as SecureTask) : undefined;
    },
    async sendSecure(round, message) {
      const answer = await request({
        method: "POST",
        path: `/v1/rounds/${round}/secure`,
        accept: [409, 422],
        headers: { "content-type": "application/json" },
        body: () => JSON.stringify(message),
      });
      return answer.status === 204 ? undefined : answer.error();
    },
  };
}

async function upload(request: Requester, path: string, hash: string): Promise<void> {
  const length = await fileSize(path);
  for (let attempt = 1; ; attempt++) {
    const answer = await request({
      method: "PATCH",
      path: `/v1/uploads/${hash}`,
      accept: [422],
      headers: async () => {
        const there = await request({ method: "HEAD", path: `/v1/uploads/${hash}` });
        const offset = there.headers.get("upload-offset");
        if (offset === null) {
          throw new InputError(
            `Cannot go on with the upload as the server must say how far it came: its answer has no "upload-offset"`,
            { input: path },
          );
        }
        return {
          "upload-offset": offset,
          "upload-length": String(length),
          "content-type": "application/octet-stream",
        };
      },
      body: (headers) =>
        Readable.toWeb(streamPieces(path, Number(headers["upload-offset"]), length)) as ReadableStream,
      retry: [408, 409],
    });
    if (answer.status !== 422) return;
    if (attempt === UPLOADS) {
      throw new InputError(`Cannot send the update as its bytes must arrive as they are: ${answer.error()}`, {
        input: path,
      });
    }
  }
}
