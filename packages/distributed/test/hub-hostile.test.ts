import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseHubName } from "@isthmus/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { downloadModel } from "../src/hub/download-model.ts";
import { end, json } from "./hub-answers.ts";
import { type HubServer, listFiles, sha256, startHubServer } from "./hub-server.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const WEIGHTS = Buffer.alloc(5000, 3);

let hub: HubServer;
let root: string;
let cache: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-hostile-hub-"));
  hub = await startHubServer();
});
afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  cache = await mkdtemp(join(root, "cache-"));
  const files = new Map([
    ["config.json", Buffer.from("{}")],
    ["model.safetensors", WEIGHTS],
  ]);
  hub.models.set("meta/tiny", { commit: COMMIT, files });
});
afterEach(() => {
  hub.seen.length = 0;
  hub.intrusion = undefined;
});

function download({ signal = new AbortController().signal, silenceMs = 10_000 } = {}) {
  const settings = { endpoint: hub.url, isOffline: false, token: "hf_secret", cache };
  const patience = { silenceMs, leastBytes: 64, pauseMs: 1, longestWaitMs: 2000 };
  const name = parseHubName("hub:meta/tiny") ?? { name: "", revision: "", file: undefined };
  return downloadModel(name, { settings, signal, patience });
}

/** Answers requests whose address has a word, or those of the store. */
const on =
  (word: string, answer: (response: ServerResponse, request: IncomingMessage) => void) =>
  (request: IncomingMessage, response: ServerResponse, host: string): boolean => {
    if (!`${host}:${request.url}`.includes(word)) return false;
    answer(response, request);
    return true;
  };

/** Lists everything below the cache but folders and locks. */
async function leftBehind(): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

const listing = (path: string, more: object = {}) => [
  ...listFiles(hub.models.get("meta/tiny")?.files ?? new Map()),
  { type: "file", path, size: 3, oid: "a".repeat(40), ...more },
];

describe("a hostile hub", () => {
  it.each([
    ["../evil.json", /must stay within it/],
    ["a/../../evil.json", /must stay within it/],
    ["/etc/evil.json", /must stay within it/],
    ["a//evil.json", /must stay within it/],
    ["C:\\evil.json", /storable on every system/],
    ["aux.json", /is a device/],
    ["a\u0007.json", /is a device or has characters/],
    [`${"x".repeat(300)}.json`, /is longer than/],
    [`${"x/".repeat(3)}${"y".repeat(250)}.json`, undefined],
  ])("lists %j and gets no file there", async (path, problem) => {
    hub.intrusion = on("/tree/", (response) => json(response, listing(path)));
    // A path of a few folders and a long name is fine; its content is not there.
    await expect(download()).rejects.toThrow(problem ?? /must be on the hub/);
    const left = await leftBehind();
    expect(left.filter((name) => name.includes("evil") || name.includes("aux"))).toEqual([]);
  });

  it.each([
    ["a digest that leads elsewhere", { lfs: { oid: "../../../evil", size: 3 } }],
    ["a size below zero", { size: -1 }],
    ["a size that is no number", { size: "3" }],
    ["no digest", { oid: null }],
  ])("lists %s and is refused", async (_, more) => {
    hub.intrusion = on("/tree/", (response) => json(response, listing("a.json", more)));
    await expect(download()).rejects.toThrow(/must have a path, a size and a digest/);
  });

  it("names no commit, or one that leads elsewhere", async () => {
    for (const sha of [undefined, "../../..", 7]) {
      hub.intrusion = on("/revision/", (response) => json(response, { sha }));
      await expect(download()).rejects.toThrow(/must name the commit/);
    }
  });

  it("lists without end, and is left after some pages", async () => {
    const page = Array.from({ length: 1000 }, () => ({ type: "directory", path: "a" }));
    const text = JSON.stringify(page);
    hub.intrusion = on("/tree/", (response) => {
      response.setHeader("link", `<${hub.url}/api/models/meta/tiny/tree/x>; rel="next"`).end(text);
    });
    await expect(download()).rejects.toThrow(/may have 100000 files/);
    expect(hub.seen.length).toBeLessThan(110);
  });

  it("sends contents with a wrong digest, too long or too short, and nothing of them stays", async () => {
    for (const [body, problem] of [
      [Buffer.alloc(5000, 4), /must have the digest/],
      [Buffer.alloc(6000, 3), /must have 5000 bytes: the hub sends more/],
      [Buffer.alloc(4000, 3), /closed after 4000 of 5000 bytes/],
    ] as const) {
      hub.intrusion = on("store:", (response, { headers }) => {
        if (headers.range === undefined) response.end(body);
        else response.writeHead(206, { "content-range": "bytes 4000-4000/5000" }).end();
      });
      await expect(download()).rejects.toThrow(problem);
      const left = await leftBehind();
      expect(left.filter((name) => name === "model.safetensors" || name === sha256(WEIGHTS))).toEqual([]);
      await rm(cache, { recursive: true });
    }
  });

  it("redirects in a circle, or from here to nowhere", async () => {
    hub.intrusion = on("/tree/", (response, { url }) => end(response, 302, { location: `${url}` }));
    await expect(download()).rejects.toThrow(/redirects again and again/);
    expect(hub.seen.length).toBeLessThan(10);
    hub.intrusion = on("/tree/", (response) => end(response, 302, { location: "file:///etc/passwd" }));
    await expect(download()).rejects.toThrow(/must stay encrypted: .* to file:/);
    hub.intrusion = on("/tree/", (response) => end(response, 302, { location: "http://[" }));
    await expect(download()).rejects.toThrow(/must name an address/);
  });

  it("packs its answers so that they unpack to anything", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20));
    const packed = (response: ServerResponse) => response.setHeader("content-encoding", "gzip").end(bomb);
    hub.intrusion = on("/tree/", packed);
    await expect(download()).rejects.toThrow(/an answer may have 16777216 bytes/);
    hub.intrusion = on("store:", packed);
    await expect(download()).rejects.toThrow(/must come as it is: the hub packs it by gzip/);
  });

  it("drips, or says nothing at all", async () => {
    hub.intrusion = on("store:", (response, { headers }) => {
      const begin = Number(/\d+/.exec(headers.range ?? "0")?.[0]);
      response.writeHead(206, { "content-range": `bytes ${begin}-4999/5000` });
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    await expect(download({ silenceMs: 50 })).rejects.toThrow(/fewer than 64 bytes came|no answer/);
    hub.intrusion = on("/tree/", () => {});
    await expect(download({ silenceMs: 50 })).rejects.toThrow(/no answer for 0.05 s/);
  });

  it.each([
    [401, /must exist, and the token must be one that the hub knows/, 1],
    [403, /you must have the right to/, 1],
    [404, /there is no such one/, 1],
    [429, /asks for fewer requests/, 5],
    [503, /says 503; try again later/, 5],
  ])("answers %i, and is asked again only if that may help", async (status, problem, times) => {
    hub.intrusion = on("/tree/", (response) => end(response, status, { "retry-after": "0" }));
    await expect(download()).rejects.toThrow(problem);
    expect(hub.seen.filter(({ url }) => url.includes("/tree/"))).toHaveLength(times);
  });

  it("asks to wait: a moment is waited, a day is not", async () => {
    let asked = 0;
    hub.intrusion = on("/tree/", (response) => {
      if (asked++ === 0) end(response, 429, { "retry-after": "1" });
      else json(response, listFiles(hub.models.get("meta/tiny")?.files ?? new Map()));
    });
    await download();
    expect(asked).toBe(2);
    hub.intrusion = on("/tree/", (response) => end(response, 503, { "retry-after": "86400" }));
    await expect(download()).rejects.toThrow(/says 503/);
  });

  it("is left when the user stops, and what has come is kept", async () => {
    const stopping = new AbortController();
    hub.intrusion = on("store:", (response) => {
      response.write(WEIGHTS.subarray(0, 2000));
      setTimeout(() => stopping.abort(), 50);
    });
    await expect(download({ signal: stopping.signal })).rejects.toThrow(/abort/i);
    hub.intrusion = undefined;
    hub.seen.length = 0;
    await download();
    expect(hub.seen.find(({ host }) => host === "store")?.range).toBe("bytes=2000-");
  });
});
