import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCheckpoint, createTensor, saveCheckpoint } from "@isthmus/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { type HubServer, sha256, startHubServer } from "../../distributed/test/hub-server.ts";

const TOKEN = "hf_this-is-secret";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const FORBID = `--import=${new URL("no-network.mjs", import.meta.url).href}`;

let hub: HubServer;
let root: string;
let home: string;
let env: Readonly<Record<string, string>>;

async function serveModel(name: string, seed: number, card: string): Promise<void> {
  const values = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i + seed));
  const path = join(root, `${seed}.safetensors`);
  await saveCheckpoint(createCheckpoint(new Map([["w", createTensor("f32", [64, 64], values)]])), path);
  const files = new Map([
    ["README.md", Buffer.from(card)],
    ["config.json", Buffer.from('{"model_type":"tiny"}')],
    ["model.safetensors", await readFile(path)],
  ]);
  hub.models.set(name, { commit: COMMIT, files });
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "isthmus-cli-hub-"));
  hub = await startHubServer();
  await serveModel("meta/a", 0, "---\nlicense: mit\n---\n");
  await serveModel("meta/b", 9, "---\nlicense: mit\n---\n");
  await serveModel("meta/c", 5, "---\nlicense: cc-by-nc-4.0\n---\n");
  const recipe = (other: string) =>
    `merge_method: linear\nmodels:\n  - model: hub:meta/a\n  - model: ${other}@main\nparameters: {weight: 0.5}\n`;
  await writeFile(join(root, "recipe.yml"), recipe("hub:meta/b"));
  await writeFile(join(root, "mixed.yml"), recipe("meta/c"));
});
afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  home = await mkdtemp(join(root, "home-"));
  env = { HF_HOME: home, HF_ENDPOINT: hub.url, HF_TOKEN: "", HF_HUB_CACHE: "", HF_HUB_OFFLINE: "" };
  hub.intrusion = undefined;
  for (const list of [hub.seen, hub.commits]) list.length = 0;
});

const recipe = () => join(root, "recipe.yml");

/** For `onStart`: kills a command once something is true. */
function killedOnce(isTrue: () => boolean): (child: ChildProcess) => void {
  return (child) => {
    const watch = setInterval(() => {
      if (child.exitCode === null && !isTrue()) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 1);
  };
}

describe("isthmus --download", () => {
  it("opens no connection without it, whatever names of models there are", async () => {
    const graph = ["--graph", "hub:meta/a", "--data", "mnist:test@10"];
    for (const words of [
      ["inspect", "hub:meta/a"],
      ["inspect", "meta/a@v1"],
      ["compare", "hub:meta/a", "meta/b"],
      ["merge", recipe(), "-o", join(home, "out")],
      ["barrier", "hub:meta/a", "hub:meta/b", ...graph],
      ["push", join(home), "me/merged", "--dry-run"],
    ]) {
      const { code, stderr } = await runAlone(words, { env: { ...env, NODE_OPTIONS: FORBID } });
      expect([code, stderr]).not.toEqual([99, ""]);
      if (words[0] !== "push") expect(stderr).toMatch(/isthmus with --download|hf download/);
    }
    expect(hub.seen).toEqual([]);
    // The same command with the option does try.
    const options = { env: { ...env, NODE_OPTIONS: FORBID } };
    expect((await runAlone(["inspect", "hub:meta/a", "--download"], options)).code).toBe(99);
  });

  it("is killed in the middle of a file, goes on there, and merges what it fetched", async () => {
    const weights = hub.models.get("meta/a")?.files.get("model.safetensors") ?? Buffer.alloc(0);
    hub.intrusion = (_, response, host) => {
      if (host !== "store") return false;
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 10_000));
      return true;
    };
    const out = join(home, "out");
    const words = ["merge", recipe(), "--download", "-o", out];
    const model = join(home, "hub", "models--meta--a");
    const partial = join(model, "blobs", `${sha256(weights)}.isthmus.incomplete`);
    const isHalf = () => statSync(partial, { throwIfNoEntry: false })?.size === 10_000;
    const killed = await runAlone(words, { env, onStart: killedOnce(isHalf) });
    expect(killed.code).toBeNull();
    expect(await readdir(model)).toEqual(["blobs"]);
    hub.intrusion = undefined;
    hub.seen.length = 0;
    const { code, stderr } = await runCli(words, { env });
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("hub:meta/a at commit 0123456789ab needs 3 files"),
    ]);
    // Both models are fetched at once, in either order.
    const resumed = hub.seen.find(({ host, url }) => host === "store" && url.includes(sha256(weights)));
    expect(resumed?.range).toBe("bytes=10000-");
    expect((await readdir(join(model, "blobs"))).sort()).toContain(sha256(weights));
    expect(await readFile(join(out, "README.md"), "utf8")).toContain("base_model_relation: merge");
    hub.seen.length = 0;
    const again = await runCli(["compare", "hub:meta/a", "meta/b"], { env });
    expect([again.code, hub.seen]).toEqual([0, []]);
  });

  it("inspects a model by its header alone", async () => {
    const { code, stdout } = await runCli(["inspect", "hub:meta/a", "--download"], { env });
    expect([code, stdout]).toEqual([0, expect.stringContaining("1 tensors, 4,096 parameters")]);
    expect(await readdir(home)).toEqual([]);
  });
});

describe("isthmus push", () => {
  it("shows the card, is killed while it sends, and then sends all in one commit", async () => {
    const out = join(home, "out");
    expect((await runCli(["merge", recipe(), "--download", "-o", out, "-q"], { env })).code).toBe(0);
    const result = fileURLToPath(new URL("../../../docs/gallery/barrier.json", import.meta.url));
    const words = ["push", out, "me/merged", "--results", result];
    hub.seen.length = 0;
    const dry = await runCli([...words, "--dry-run"], { env });
    const shown = /license: mit[\s\S]*merge_method: linear[\s\S]*## Measured[\s\S]*\| [\s\S]*Data: /;
    expect([dry.code, dry.stdout, hub.seen]).toEqual([0, expect.stringMatching(shown), []]);
    hub.token = TOKEN;
    const known = { ...env, HF_TOKEN: TOKEN };
    let isSending = false;
    hub.intrusion = (_, __, host) => {
      isSending ||= host === "store";
      return host === "store";
    };
    const sending = [...words, "--create", "--private"];
    const killed = await runAlone(sending, { env: known, onStart: killedOnce(() => isSending) });
    expect([killed.code, hub.commits]).toEqual([null, []]);
    hub.intrusion = undefined;
    const sent = await runCli(sending, { env: known });
    expect([sent.code, sent.stdout]).toEqual([0, expect.stringContaining("as me")]);
    expect(sent.stdout + sent.stderr).not.toContain(TOKEN);
    const [commit, ...others] = hub.commits;
    expect(others).toEqual([]);
    expect([...(commit?.files.keys() ?? [])].sort()).toEqual(
      ["README.md", "config.json", "model.safetensors", "recipe.yml"].sort(),
    );
    hub.token = undefined;
  });

  it("says that a folder or a token is missing before it speaks of what is sent", async () => {
    const file = await runCli(["push", join(root, "0.safetensors"), "me/merged"], { env });
    expect([file.code, file.stderr]).toEqual([2, expect.stringContaining("a folder of a model is needed")]);
    await writeFile(join(home, "config.json"), "{}");
    const { code, stderr } = await runCli(["push", home, "me/merged"], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining("a token that may write is needed")]);
    expect(stderr).not.toContain("are sent");
  });

  it("refuses licences that contradict each other, unless one is chosen", async () => {
    const out = join(home, "out");
    await runCli(["merge", join(root, "mixed.yml"), "--download", "-o", out, "-q"], { env });
    const words = ["push", out, "me/merged", "--dry-run"];
    const refused = await runCli(words, { env });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('"meta/c@main" has cc-by-nc-4.0'),
    ]);
    const chosen = await runCli([...words, "--licence", "cc-by-nc-4.0", "--json"], { env });
    expect(JSON.parse(chosen.stdout)).toMatchObject({ licence: "cc-by-nc-4.0", commit: null });
  });
});
