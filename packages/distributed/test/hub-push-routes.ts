import type { IncomingMessage, ServerResponse } from "node:http";
import { end, json } from "./hub-answers.ts";

/** A commit that was pushed to the server. */
export interface PushedCommit {
  readonly name: string;
  readonly branch: string;
  readonly summary: string;
  /** Contents of small files by their paths, and digests of large ones. */
  readonly files: ReadonlyMap<string, string>;
}

/** The part of the server that a push reads and changes. */
export interface PushState {
  /** Address for `HF_ENDPOINT`. */
  readonly url: string;
  /** Address of the store of large files. */
  readonly storeUrl: string;
  /** Models by their names. */
  readonly models: Map<string, { commit: string; files: Map<string, Buffer> }>;
  /** Commits that were pushed, in their order. */
  readonly commits: PushedCommit[];
  /** Large contents by their SHA-256. */
  readonly store: Map<string, Buffer>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

interface Line {
  readonly key: string;
  readonly value: {
    readonly summary?: string;
    readonly path: string;
    readonly content: string;
    readonly oid: string;
  };
}

/** Answers the requests of a push: who one is, new repositories and branches, uploads, and the commit. */
export async function answerPush(
  hub: PushState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { url = "" } = request;
  if (url.startsWith("/api/whoami")) return json(response, { type: "user", name: "me", orgs: [] });
  const body = await bodyOf(request);
  if (url === "/api/repos/create") {
    const { name, organization } = JSON.parse(body) as { name: string; organization: string };
    const id = `${organization}/${name}`;
    if (hub.models.has(id)) return end(response, 409);
    hub.models.set(id, { commit: "0".repeat(40), files: new Map() });
    return json(response, { url: `${hub.url}/${id}`, id });
  }
  const [, preuploaded] = /^\/api\/models\/([^/]+\/[^/]+)\/preupload\//.exec(url) ?? [];
  if (preuploaded !== undefined) {
    if (!hub.models.has(preuploaded)) return end(response, 404);
    const { files } = JSON.parse(body) as { files: { path: string; size: number }[] };
    return json(response, {
      files: files.map(({ path, size }) => ({ path, uploadMode: size >= 1000 ? "lfs" : "regular" })),
    });
  }
  if (url.endsWith(".git/info/lfs/objects/batch")) {
    const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
    return json(response, {
      transfer: "basic",
      objects: objects.map(({ oid, size }) => ({
        oid,
        size,
        actions: hub.store.has(oid) ? undefined : { upload: { href: `${hub.storeUrl}/${oid}` } },
      })),
    });
  }
  if (/^\/api\/models\/[^/]+\/[^/]+\/branch\//.test(url)) return json(response, {});
  const [, name = "", branch = ""] = /^\/api\/models\/([^/]+\/[^/]+)\/commit\/([^/?]+)/.exec(url) ?? [];
  if (!hub.models.has(name)) return end(response, 404);
  const lines = body
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const files = lines.flatMap(({ key, value }) =>
    key === "header"
      ? []
      : [
          [
            value.path,
            key === "lfsFile" ? value.oid : Buffer.from(value.content, "base64").toString(),
          ] as const,
        ],
  );
  const summary = lines.find(({ key }) => key === "header")?.value.summary ?? "";
  hub.commits.push({ name, branch: decodeURIComponent(branch), summary, files: new Map(files) });
  json(response, {
    success: true,
    commitOid: "1".repeat(40),
    commitUrl: `${hub.url}/${name}`,
    hookOutput: "",
  });
}
