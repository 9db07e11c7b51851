import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpoint } from "../checkpoint/create-checkpoint.ts";
import { openCheckpoint, openCheckpointWithin } from "../open-checkpoint.ts";
import { saveCheckpoint } from "../save-checkpoint.ts";
import { createTensor } from "../tensor/tensor.ts";
import { openFileSource } from "./file-source.ts";
import { assertInModelFolder, leadsWithin } from "./model-folder.ts";
import { readJsonFile } from "./read-file.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-within-"));
});
afterAll(() => rm(root, { recursive: true }));

/** Writes a file with what is above it; returns its path. */
async function put(path: string, text = "{}"): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  return join(root, path);
}

/** Makes a link with what is above it; returns its path. */
async function linkTo(target: string, path: string): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await symlink(target, join(root, path));
  return join(root, path);
}

const LINKED = /must lead to a file in it, .* it leads to ".*"; put a copy of that file in its place/;

describe("files in a folder", () => {
  it("may be links that stay in it, however the folder itself is reached", async () => {
    await put("own/deep/real.json");
    const link = await linkTo("deep/real.json", "own/config.json");
    expect(await readJsonFile(link, { within: join(root, "own") })).toEqual({});
    await symlink(join(root, "own"), join(root, "other-name"));
    expect(await leadsWithin(join(root, "other-name", "config.json"), join(root, "other-name"))).toBe(true);
  });

  it("are refused where they lead out, by themselves or by a folder on the way", async () => {
    const secret = await put("secret/config.json", '{"password":1}');
    const file = await linkTo(secret, "out/config.json");
    await symlink(dirname(secret), join(root, "out", "sub"));
    const folder = join(root, "out");
    await expect(readJsonFile(file, { within: folder })).rejects.toThrow(LINKED);
    await expect(openFileSource(join(folder, "sub", "config.json"), folder)).rejects.toThrow(LINKED);
    expect(await leadsWithin(file, folder)).toBe(false);
    // A name that begins like the folder's is none in it.
    await put("outside/config.json");
    expect(await leadsWithin(await linkTo("../outside/config.json", "out/b.json"), folder)).toBe(false);
    expect(await readJsonFile(file)).toEqual({ password: 1 });
  });

  it("may be links of a snapshot in the hub's cache to its own blobs alone", async () => {
    await put("hub/models--a--b/blobs/1");
    await put("hub/models--c--d/blobs/2");
    const snapshot = "hub/models--a--b/snapshots/0123";
    const folder = join(root, snapshot);
    const [own, deep, foreign] = [
      await linkTo("../../blobs/1", `${snapshot}/config.json`),
      await linkTo("../../../blobs/1", `${snapshot}/1_Pooling/config.json`),
      await linkTo("../../../models--c--d/blobs/2", `${snapshot}/foreign.json`),
    ];
    expect([own, deep, foreign].length).toBe(3);
    expect(await leadsWithin(own, folder)).toBe(true);
    expect(await leadsWithin(deep, join(folder, "1_Pooling"))).toBe(true);
    expect(await leadsWithin(foreign, folder)).toBe(false);
    // A cloned repository may have folders of these names, and blobs that are a link.
    await put("etc/shadow");
    await mkdir(join(root, "clone/models--x/snapshots/1"), { recursive: true });
    await symlink(join(root, "etc"), join(root, "clone/models--x/blobs"));
    const disguised = await linkTo("../../blobs/shadow", "clone/models--x/snapshots/1/NOTICE");
    expect(await leadsWithin(disguised, dirname(disguised))).toBe(false);
  });

  it("may be links of a working folder of a queue's worker to its storage", async () => {
    const stored = await put("storage/inputs/x.json");
    const link = await linkTo(stored, `storage/folders/${"a1".repeat(16)}/net/config.json`);
    expect(await leadsWithin(link, dirname(link))).toBe(true);
    const out = await linkTo(join(root, "etc/shadow"), `storage/folders/${"a1".repeat(16)}/net/NOTICE`);
    expect(await leadsWithin(out, dirname(out))).toBe(false);
  });

  it("are compared with what was opened, so that a link which is turned in between deceives nobody", async () => {
    const [inside, outside] = [await put("turned/real.json"), await put("elsewhere.json")];
    const folder = join(root, "turned");
    const link = await linkTo(outside, "turned/link.json");
    const handle = await open(link);
    try {
      const opened = { descriptor: handle.fd, stats: await handle.stat() };
      await expect(assertInModelFolder(link, folder, opened)).rejects.toThrow(LINKED);
      // The file outside was opened, and then the link is turned to one inside.
      await rename(await linkTo(inside, "turned/link.new"), link);
      expect(await leadsWithin(link, folder)).toBe(true);
      await expect(assertInModelFolder(link, folder, opened)).rejects.toThrow(LINKED);
    } finally {
      await handle.close();
    }
  });
});

describe("openCheckpoint() of a folder", () => {
  it("refuses shards that lead out, and opens the file that is named itself", async () => {
    const tensor = createTensor("f32", [1], Float32Array.of(1));
    const file = join(root, "private.safetensors");
    await saveCheckpoint(createCheckpoint({ w: tensor }), file);
    const shard = await linkTo(file, "model/model.safetensors");
    await expect(openCheckpoint(join(root, "model"))).rejects.toThrow(LINKED);
    await expect(openCheckpointWithin(shard, join(root, "model"))).rejects.toThrow(LINKED);
    await using named = await openCheckpoint(shard);
    expect(named.tensors.size).toBe(1);
    const index = { weight_map: { w: "model.safetensors" } };
    const path = await put("model/model.safetensors.index.json", JSON.stringify(index));
    await expect(openCheckpoint(path)).rejects.toThrow(LINKED);
  });
});
