import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { end, json, sendContent } from "./hub-answers.ts";
import { answerPush, type PushState } from "./hub-push-routes.ts";

/** A model of the server. */
export interface ServedModel {
  commit: string;
  files: Map<string, Buffer>;
  /** Files of earlier commits. */
  readonly past?: Map<string, Map<string, Buffer>>;
}

/** A request that the server or its store of large files got. */
export interface SeenRequest {
  readonly host: "hub" | "store";
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request in place of the server; returns false to let the server answer. */
export type Intrusion = (
  request: IncomingMessage,
  response: ServerResponse,
  host: "hub" | "store",
) => boolean | Promise<boolean>;

/** A server that speaks what the API of the Hugging Face hub says of models, on this machine alone. */
export interface HubServer extends Omit<PushState, "storeUrl" | "models"> {
  readonly models: Map<string, ServedModel>;
  readonly seen: SeenRequest[];
  /** Token that requests must carry; undefined if everything is public. */
  token: string | undefined;
  intrusion: Intrusion | undefined;
  close(): Promise<void>;
}

/** Contents from this size on are kept in the store, as files of LFS. */
const LARGE = 1000;

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Buffer): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Starts the server, and beside it a store on another port to which it redirects. */
export async function startHubServer(): Promise<HubServer> {
  const hub: HubServer & { storeUrl: string } = {
    url: "",
    storeUrl: "",
    models: new Map(),
    seen: [],
    commits: [],
    store: new Map(),
    token: undefined,
    intrusion: undefined,
    async close() {
      for (const server of [main, store]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
  const main = createServer((request, response) => void serve(hub, "hub", request, response));
  const store = createServer((request, response) => void serve(hub, "store", request, response));
  const urls = [await listen(main), await listen(store)];
  return Object.assign(hub, { url: urls[0], storeUrl: urls[1] });
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type State = HubServer & PushState;

async function serve(
  hub: State,
  host: "hub" | "store",
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const { authorization, range } = headers;
  hub.seen.push({ host, method, url, authorization, range });
  if (await hub.intrusion?.(request, response, host)) return;
  if (host === "store") return answerStore(hub, request, response);
  if (hub.token !== undefined && authorization !== `Bearer ${hub.token}`) return end(response, 401);
  if (method === "POST" || url.startsWith("/api/whoami")) return answerPush(hub, request, response);
  answerRead(hub, request, response);
}

function answerRead(
  hub: State,
  { method = "GET", url = "", headers }: IncomingMessage,
  response: ServerResponse,
) {
  const [path = ""] = url.split("?");
  const [, about, kind, revision = ""] =
    /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(path) ?? [];
  if (about !== undefined) {
    const model = hub.models.get(about);
    const files = filesAt(model, decodeURIComponent(revision));
    if (model === undefined || files === undefined) return end(response, 404);
    return json(response, kind === "revision" ? { id: about, sha: model.commit } : listFiles(files));
  }
  const [, name = "", at = "", filePath = ""] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const model = hub.models.get(name);
  const content = filesAt(model, decodeURIComponent(at))?.get(decodeURIComponent(filePath));
  if (model === undefined || content === undefined) return end(response, 404);
  const isLarge = content.length >= LARGE;
  const etag = isLarge ? sha256(content) : gitSha1(content);
  response.setHeader("x-repo-commit", model.commit).setHeader("etag", `"${etag}"`);
  if (!isLarge) return sendContent(response, content, { method, range: headers.range });
  response.setHeader("x-linked-etag", `"${etag}"`).setHeader("x-linked-size", content.length);
  response.writeHead(302, { location: `${hub.storeUrl}/${etag}` }).end();
}

function filesAt(model: ServedModel | undefined, revision: string): Map<string, Buffer> | undefined {
  if (model !== undefined && ["main", "v1", "refs/pr/1", model.commit].includes(revision)) return model.files;
  return model?.past?.get(revision);
}

function answerStore(hub: State, request: IncomingMessage, response: ServerResponse): void {
  const { method = "GET", url = "", headers } = request;
  const digest = url.slice(1).split("?")[0] ?? "";
  if (method === "PUT") {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      hub.store.set(digest, Buffer.concat(parts));
      end(response, 200);
    });
    return;
  }
  const contents = [...hub.models.values()].flatMap(({ files, past }) =>
    [files, ...(past?.values() ?? [])].flatMap((one) => [...one.values()]),
  );
  const content = contents.find((bytes) => bytes.length >= LARGE && sha256(bytes) === digest);
  if (content === undefined) end(response, 404);
  else sendContent(response, content, { method, range: headers.range });
}

/** Lists files as the route `tree` does. */
export function listFiles(files: ReadonlyMap<string, Buffer>): object[] {
  return [...files].map(([path, bytes]) => {
    const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: 134 };
    const entry = { type: "file", path, size: bytes.length, oid: gitSha1(bytes) };
    return bytes.length >= LARGE ? { ...entry, lfs } : entry;
  });
}
