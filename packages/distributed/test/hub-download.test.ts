import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createCheckpoint,
  createTensor,
  openCheckpoint,
  parseHubName,
  saveCheckpoint,
  withModelSource,
} from "@isthmus/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { downloadModel } from "../src/hub/download-model.ts";
import { partialPathOf } from "../src/hub/fetch-blob.ts";
import { createHubSource, type DownloadEstimate, type HubPatience } from "../src/index.ts";
import { gitSha1, type HubServer, sha256, startHubServer } from "./hub-server.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const TOKEN = "hf_this-is-secret";
const CONFIG = Buffer.from('{"model_type":"tiny"}');
const PATIENCE: HubPatience = { silenceMs: 2000, leastBytes: 64, pauseMs: 1, longestWaitMs: 2000 };

let hub: HubServer;
let root: string;
let cache: string;
let weights: Buffer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-hub-"));
  const path = join(root, "w.safetensors");
  const values = Float32Array.from({ length: 1000 }, (_, i) => i);
  await saveCheckpoint(
    createCheckpoint(new Map([["layer.weight", createTensor("f32", [10, 100], values)]])),
    path,
  );
  weights = await readFile(path);
  hub = await startHubServer();
});
afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  cache = await mkdtemp(join(root, "cache-"));
  vi.stubEnv("HF_HUB_CACHE", cache);
  const files = new Map([
    [".gitattributes", Buffer.from("*.bin lfs")],
    ["README.md", Buffer.from("---\nlicense: mit\n---\n")],
    ["config.json", CONFIG],
    ["model.safetensors", weights],
    ["model.fp16.safetensors", weights.subarray(0, 2000)],
    ["pytorch_model.bin", Buffer.alloc(5000)],
    ["onnx/model.onnx", Buffer.alloc(100)],
    ["tokenizer.json", Buffer.from("{}")],
  ]);
  hub.models.set("meta/tiny", { commit: COMMIT, files });
});
afterEach(() => {
  vi.unstubAllEnvs();
  hub.seen.length = 0;
  hub.token = undefined;
  hub.intrusion = undefined;
});

const settings = () => ({
  endpoint: hub.url,
  isOffline: false,
  token: undefined as string | undefined,
  cache,
});
const named = (text: string) => parseHubName(text) ?? { name: "", revision: "", file: undefined };
function download(text = "hub:meta/tiny", more: Partial<Parameters<typeof downloadModel>[1]> = {}) {
  const { signal } = new AbortController();
  return downloadModel(named(text), { settings: settings(), signal, patience: PATIENCE, ...more });
}
const model = () => join(cache, "models--meta--tiny");
const blob = () => join(model(), "blobs", sha256(weights));

describe("downloadModel()", () => {
  it("lays out what a model needs as huggingface_hub does, and fetches nothing twice", async () => {
    const estimates: DownloadEstimate[] = [];
    const shares: number[] = [];
    const onStart = (estimate: DownloadEstimate) => estimates.push(estimate);
    const folder = await download("hub:meta/tiny", {
      onStart,
      onProgress: (done, all) => shares.push(done / all),
    });
    expect(folder).toBe(join(model(), "snapshots", COMMIT));
    expect(await readlink(join(folder, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(await readlink(join(folder, "config.json"))).toBe(`../../blobs/${gitSha1(CONFIG)}`);
    expect(await readFile(join(folder, "model.safetensors"))).toEqual(weights);
    expect(await readFile(join(model(), "refs", "main"), "utf8")).toBe(COMMIT);
    const left = hub.seen.map(({ url }) => url).filter((url) => /fp16|\.bin|onnx|gitattributes/.test(url));
    expect(left).toEqual([]);
    expect(estimates[0]).toMatchObject({ files: 4, missingFiles: 4, commit: COMMIT, name: "hub:meta/tiny" });
    expect(shares.at(-1)).toBe(1);
    hub.seen.length = 0;
    await download("hub:meta/tiny@v1", { onStart });
    expect(estimates[1]).toMatchObject({ files: 4, missingFiles: 0, missingBytes: 0 });
    expect(hub.seen.every(({ url }) => url.startsWith("/api/"))).toBe(true);
    expect(await readFile(join(model(), "refs", "v1"), "utf8")).toBe(COMMIT);
  });

  it("sends the token to the endpoint alone, and says so little of it that no message has it", async () => {
    hub.token = TOKEN;
    const refused = await download().catch((error: Error) => error.message);
    expect(refused).toMatch(/Cannot download "hub:meta\/tiny" as it must exist and be public, or a token/);
    hub.seen.length = 0;
    await download("hub:meta/tiny", { settings: { ...settings(), token: TOKEN } });
    const stored = hub.seen.filter(({ host }) => host === "store");
    expect(stored).toHaveLength(1);
    expect(stored.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(hub.seen.find(({ host }) => host === "hub")?.authorization).toBe(`Bearer ${TOKEN}`);
    const wrong = await download("hub:meta/tiny", { settings: { ...settings(), token: `${TOKEN}!` } }).catch(
      String,
    );
    expect(wrong).toMatch(/the hub refuses it/);
    expect(wrong).not.toContain(TOKEN);
  });

  it("goes on by a range where a download broke off, and checks the digest of all of it", async () => {
    const { signal } = new AbortController();
    let cuts = 0;
    hub.intrusion = (_, response, host) => {
      if (host !== "store" || cuts++ > 0) return false;
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 1500), () => setTimeout(() => response.destroy(), 100));
      return true;
    };
    await download("hub:meta/tiny", { signal });
    expect(hub.seen.filter(({ host }) => host === "store").map(({ range }) => range)).toEqual([
      undefined,
      "bytes=1500-",
    ]);
    expect(await readFile(blob())).toEqual(weights);
  });

  it("keeps what an earlier process left if it is right, and drops it if it is not", async () => {
    for (const [left, ranges] of [
      [weights.subarray(0, 2000), ["bytes=2000-"]],
      [Buffer.alloc(2000, 7), ["bytes=2000-", undefined]],
      [Buffer.alloc(9000, 7), [undefined]],
    ] as const) {
      await download();
      await rm(blob());
      await writeFile(partialPathOf(blob()), left);
      hub.seen.length = 0;
      await download();
      expect(await readFile(blob())).toEqual(weights);
      expect(hub.seen.filter(({ host }) => host === "store").map(({ range }) => range)).toEqual(ranges);
      await rm(model(), { recursive: true });
    }
  });

  it("lets one of several processes fetch, and the others find the files", async () => {
    const waits: string[] = [];
    const runs = [1, 2, 3].map(() => download("hub:meta/tiny", { onWait: (who) => waits.push(who) }));
    expect(new Set(await Promise.all(runs)).size).toBe(1);
    expect(hub.seen.filter(({ host }) => host === "store")).toHaveLength(1);
    expect(waits).toContain("this process is");
  });

  it("fetches one file of a repository if it is named, and asks which of several GGUF files", async () => {
    const folder = await download("hub:meta/tiny/model.fp16.safetensors");
    expect((await stat(join(folder, "model.fp16.safetensors"))).size).toBe(2000);
    const files = new Map(["q4", "q8"].map((name) => [`m-${name}.gguf`, Buffer.alloc(10)]));
    hub.models.set("meta/quants", { commit: COMMIT, files });
    await expect(download("hub:meta/quants")).rejects.toThrow(
      /must be named, as hub:meta\/quants\/m-q4\.gguf/,
    );
    await expect(download("hub:meta/tiny/none.bin")).rejects.toThrow(/must have that file/);
    const shards = ["1", "2"].map((number) => `q4-0000${number}-of-00002.gguf`);
    const split = new Map([...files, ...shards.map((name) => [name, Buffer.alloc(10)] as const)]);
    hub.models.set("meta/split", { commit: COMMIT, files: split });
    const snapshot = await download(`hub:meta/split/${shards[1]}`);
    expect((await readdir(snapshot)).sort()).toEqual(shards);
  });

  it("reads all of one commit although the revision changes between requests", async () => {
    const served = {
      commit: COMMIT,
      files: hub.models.get("meta/tiny")?.files ?? new Map(),
      past: new Map(),
    };
    hub.models.set("meta/tiny", served);
    hub.intrusion = (request) => {
      // The branch moves on as soon as its commit was asked for.
      if (request.url?.includes("/tree/") && served.commit === COMMIT) {
        served.past.set(COMMIT, served.files);
        served.commit = "f".repeat(40);
        served.files = new Map([["config.json", Buffer.from("{}")]]);
      }
      return false;
    };
    const source = createHubSource({ settings: settings(), signal: new AbortController().signal });
    const folder = await source.fetchModel(named("hub:meta/tiny"));
    expect(await readFile(join(folder, "config.json"))).toEqual(CONFIG);
    expect(await source.fetchModel(named("hub:meta/tiny"))).toBe(folder);
    expect(hub.seen.filter(({ url }) => url.includes("/revision/"))).toHaveLength(1);
  });
});

describe("createHubSource()", () => {
  it("lets openCheckpoint fetch what the cache lacks, and by ranges nothing but headers", async () => {
    const { signal } = new AbortController();
    const whole = createHubSource({ settings: settings(), signal });
    const ranged = createHubSource({ settings: settings(), signal, byRange: true });
    const looked = await withModelSource(ranged, () => openCheckpoint("meta/tiny"));
    expect(looked.tensors.get("layer.weight")?.shape).toEqual([10, 100]);
    expect((await looked.read("layer.weight")).data[999]).toBe(999);
    await looked.close();
    expect(hub.seen.every(({ host, range }) => host === "hub" || range?.startsWith("bytes="))).toBe(true);
    await expect(stat(model())).rejects.toThrow(/ENOENT/);
    const opened = await withModelSource(whole, () => openCheckpoint("hub:meta/tiny"));
    expect((await opened.read("layer.weight")).data[5]).toBe(5);
    await opened.close();
  });

  it("uses the cache alone if HF_HUB_OFFLINE forbids requests", async () => {
    const { signal } = new AbortController();
    const offline = () =>
      createHubSource({ settings: { ...settings(), isOffline: true }, signal, byRange: true });
    const opening = () => withModelSource(offline(), () => openCheckpoint("hub:meta/tiny"));
    await expect(opening()).rejects.toThrow(/in the cache .* HF_HUB_OFFLINE forbids every download now$/);
    expect(hub.seen).toEqual([]);
    await download();
    await (await opening()).close();
  });
});
