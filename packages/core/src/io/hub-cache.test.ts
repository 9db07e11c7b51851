import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { fixture } from "../../test-fixtures/fixtures.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { resolveModelPath } from "./hub-cache.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OLD = "fedcba9876543210fedcba9876543210fedcba98";

let root: string;
let cache: string;

/** Lays out a model as `hf download` does: blobs, links to them in snapshots, and names of commits. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-hub-"));
  cache = join(root, "hub");
  const model = join(cache, "models--meta--tiny");
  for (const part of ["blobs", "refs/pr", `snapshots/${COMMIT}`, `snapshots/${OLD}`])
    await mkdir(join(model, part), { recursive: true });
  await writeFile(join(model, "blobs", "b10b"), await readFile(fixture("types.safetensors")));
  await symlink("../../blobs/b10b", join(model, "snapshots", COMMIT, "model.safetensors"));
  await writeFile(join(model, "refs", "main"), COMMIT);
  await writeFile(join(model, "refs", "pr", "1"), OLD);
  await mkdir(join(cache, "models--org--other--name"), { recursive: true });
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe("resolveModelPath()", () => {
  it("finds a model by HF_HUB_CACHE, HF_HOME or XDG_CACHE_HOME, by its name, a revision or a commit", async () => {
    const snapshots = join(cache, "models--meta--tiny", "snapshots");
    vi.stubEnv("HF_HUB_CACHE", cache);
    expect(await resolveModelPath("meta/tiny")).toBe(join(snapshots, COMMIT));
    expect(await resolveModelPath("meta/tiny@pr/1")).toBe(join(snapshots, OLD));
    expect(await resolveModelPath(`meta/tiny@${OLD}`)).toBe(join(snapshots, OLD));
    vi.stubEnv("HF_HUB_CACHE", "");
    vi.stubEnv("HF_HOME", root);
    expect(await resolveModelPath("meta/tiny")).toBe(join(snapshots, COMMIT));
  });

  it("opens a model through the links of its snapshot", async () => {
    vi.stubEnv("HF_HUB_CACHE", cache);
    const checkpoint = await openCheckpoint("meta/tiny");
    expect(checkpoint.tensors.size).toBeGreaterThan(0);
    await checkpoint.close();
  });

  it("prefers a path that exists, and leaves other paths as they are", async () => {
    vi.stubEnv("HF_HUB_CACHE", cache);
    expect(await resolveModelPath("packages/core")).toBe("packages/core");
    for (const path of ["model", "a/b/c", "./meta/tiny", "meta/tiny.safetensors", "/meta/tiny", "a/b@c@d"])
      expect(await resolveModelPath(path)).toBe(path);
  });

  it("takes what would lie in a folder that is there for a path", async () => {
    for (const folder of [cache, join(root, "none")]) {
      vi.stubEnv("HF_HUB_CACHE", folder);
      await expect(openCheckpoint("packages/nothing")).rejects.toThrow(/there is no such file or folder$/);
      await expect(openCheckpoint("meta/tiny.safetensor")).rejects.toThrow(
        /there is no such file or folder$/,
      );
    }
  });

  it("says what the cache holds where a model or a revision is missing", async () => {
    vi.stubEnv("HF_HUB_CACHE", cache);
    await expect(openCheckpoint("meta/large")).rejects.toThrow(
      /which holds meta\/tiny, org\/other--name; download it first: hf download meta\/large/,
    );
    await expect(openCheckpoint("hub:meta/large@v2")).rejects.toThrow(
      /hf download meta\/large --revision v2, or isthmus with --download$/,
    );
    await expect(openCheckpoint("hub:meta")).rejects.toThrow(
      /hf download meta, or isthmus with --download; most models .*: hub:meta\/model$/,
    );
    await expect(openCheckpoint("meta/tiny@v9")).rejects.toThrow(
      /must hold its revision "v9": .* holds main, pr, 0123456789abcdef.*--revision v9, or isthmus with --download$/,
    );
    for (const revision of ["../../x", "..", "pr/../main", "/etc"])
      await expect(resolveModelPath(`meta/tiny@${revision}`)).rejects.toThrow(/must hold its revision/);
  });

  it("leaves it to the error of a missing path where there is no cache", async () => {
    vi.stubEnv("HF_HUB_CACHE", join(root, "none"));
    await expect(openCheckpoint("meta/tiny")).rejects.toThrow(/hf download meta\/tiny --local-dir tiny$/);
  });
});
