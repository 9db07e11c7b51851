import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PushFolderOptions, pushFolder } from "../src/index.ts";
import { end } from "./hub-answers.ts";
import { type HubServer, sha256, startHubServer } from "./hub-server.ts";

const TOKEN = "hf_this-is-secret";
const LARGE = Buffer.alloc(4000, 5);
const OTHER = Buffer.alloc(4000, 6);

let hub: HubServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-push-"));
  await writeFile(join(folder, "a.safetensors"), LARGE);
  await writeFile(join(folder, "b.safetensors"), OTHER);
  hub = await startHubServer();
  hub.token = TOKEN;
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => hub.models.set("me/merged", { commit: "0".repeat(40), files: new Map() }));
afterEach(() => {
  hub.intrusion = undefined;
  hub.models.clear();
  hub.store.clear();
  for (const list of [hub.seen, hub.commits]) list.length = 0;
});

function push(more: Partial<PushFolderOptions> = {}, token: string | undefined = TOKEN) {
  const file = (name: string) => {
    return { path: name, size: 4000, content: { file: join(folder, name) } };
  };
  return pushFolder({
    settings: { endpoint: hub.url, isOffline: false, token, cache: folder },
    files: [
      { path: "README.md", size: 4, content: { text: "card" } },
      file("a.safetensors"),
      file("b.safetensors"),
    ],
    name: "me/merged",
    branch: "main",
    message: "Upload",
    create: undefined,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  });
}

describe("pushFolder()", () => {
  it("sends large files to the store and all names in one commit, the token to the endpoint alone", async () => {
    const steps: string[] = [];
    const pushed = await push({ onProgress: (step) => steps.push(step) });
    expect(pushed).toEqual({ account: "me", commit: "1".repeat(40), url: `${hub.url}/me/merged` });
    expect(hub.commits).toEqual([
      {
        name: "me/merged",
        branch: "main",
        summary: "Upload",
        files: new Map([
          ["README.md", "card"],
          ["a.safetensors", sha256(LARGE)],
          ["b.safetensors", sha256(OTHER)],
        ]),
      },
    ]);
    expect([...hub.store.values()]).toEqual(expect.arrayContaining([LARGE, OTHER]));
    for (const { host, authorization } of hub.seen)
      expect(authorization).toBe(host === "hub" ? `Bearer ${TOKEN}` : undefined);
    expect(new Set(steps)).toEqual(
      new Set(["Asking what to send", "Sending large files", "Hashing", "Sending", "Making the commit"]),
    );
  });

  it("refuses a file that the hub does not take, before it asks anything", async () => {
    const files = [{ path: "a.safetensors", size: 51e9, content: { text: "" } }];
    await expect(push({ files })).rejects.toThrow(
      '"a.safetensors" has 51.0 GB; write the weights in smaller files',
    );
    expect(hub.seen).toEqual([]);
  });

  it("makes a repository and a branch if it is asked to, also twice", async () => {
    hub.models.clear();
    await expect(push()).rejects.toThrow(/there is no such one; add --create to make it/);
    for (const branch of ["main", "next"]) await push({ create: "private", branch });
    expect(hub.commits.map(({ branch }) => branch)).toEqual(["main", "next"]);
  });

  it("publishes nothing if it is stopped between two large files, and sends the other one alone again", async () => {
    const stopping = new AbortController();
    hub.intrusion = (request, _, host) => {
      // The second one never gets an answer.
      const isStopped = host === "store" && request.url === `/${sha256(OTHER)}`;
      if (isStopped) setTimeout(() => stopping.abort(), 50);
      return isStopped;
    };
    await expect(push({ signal: stopping.signal })).rejects.toThrow(/abort/i);
    expect(hub.commits).toEqual([]);
    hub.intrusion = undefined;
    hub.seen.length = 0;
    await push();
    const sent = hub.seen.filter(({ host }) => host === "store").map(({ url }) => url);
    expect(sent).toEqual([`/${sha256(OTHER)}`]);
    expect(hub.commits).toHaveLength(1);
  });

  it("asks again if the hub is away, but never for the commit itself", async () => {
    let away = 2;
    hub.intrusion = (request, response) => {
      const isAway = request.url?.includes("/preupload/") === true && away-- > 0;
      if (isAway) end(response, 503, { "retry-after": "0" });
      return isAway;
    };
    await push();
    let commits = 0;
    hub.intrusion = (request, response) => {
      const isCommit = request.url?.includes("/commit/") === true;
      if (isCommit) end(response, 503, { "retry-after": "0" });
      commits += Number(isCommit);
      return isCommit;
    };
    await expect(push()).rejects.toThrow(/says 503/);
    expect(commits).toBe(1);
  });

  it("follows no redirection, which could carry the token or the files elsewhere", async () => {
    hub.intrusion = (request, response) => {
      const isPut = request.method === "PUT";
      if (isPut) end(response, 307, { location: `${hub.url}/elsewhere` });
      return isPut;
    };
    await expect(push()).rejects.toThrow(/nothing was published/);
    expect(hub.seen.some(({ url }) => url.includes("elsewhere"))).toBe(false);
  });

  it("needs a token that the hub knows, a host it may be sent to, and leave to ask", async () => {
    await expect(push({}, "hf_wrong")).rejects.toThrow(/the hub refuses it/);
    hub.seen.length = 0;
    const settings = { endpoint: hub.url, isOffline: false, token: TOKEN, cache: folder };
    for (const [changed, problem] of [
      [{ token: undefined }, /a token that may write is needed/],
      [{ isOffline: true }, /HF_HUB_OFFLINE must not be set/],
      [{ endpoint: "http://hub.example" }, /must travel encrypted/],
    ] as const)
      await expect(push({ settings: { ...settings, ...changed } })).rejects.toThrow(problem);
    expect(hub.seen).toEqual([]);
  });
});
