import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { type CliRun, runCli } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";
import { countDone } from "./cluster-folder.ts";
import { type S3Cluster, startS3Cluster } from "./cluster-s3.ts";

let cluster: S3Cluster;
const inWork = (...names: string[]) => join(cluster.work, ...names);

beforeAll(async () => {
  cluster = await startS3Cluster();
  const { graph, initialize } = parseNetwork("mlp:6", stripes(100));
  // Networks in shards, of which one lies elsewhere; and other files that lie elsewhere.
  for (const [folder, seed] of [
    ["net-0", 0],
    ["nets/net-1", 1],
    ["../elsewhere/net-2", 2],
  ] as const) {
    await saveCheckpoint(initialize(seed), inWork(folder), {
      maxShardBytes: 50,
    });
  }
  writeFileSync(inWork("..", "elsewhere", "model.onnx"), encodeGraph(graph));
  writeFileSync(inWork("..", "stripes.npz"), encodeStripes());
  const write = (name: string, text: string) => writeFileSync(inWork(name), text);
  const third = inWork("..", "elsewhere", "net-2");
  write(
    "ties.yml",
    `merge_method: ties\nbase_model: net-0\nparameters: { density: 0.5, weight: 1 }\nmodels: [{ model: nets/net-1 }, { model: ${third} }]\n`,
  );
  write(
    "slerp.yml",
    "merge_method: slerp\nbase_model: net-0\nparameters: { t: 0.3 }\nmodels: [{ model: net-0 }, { model: ../elsewhere/net-2 }]\n",
  );
  const align = "{ graph: ../elsewhere/model.onnx }";
  write(
    "search.yml",
    `merge_method: slerp\nbase_model: net-0\nparameters: { t: { search: [0, 1] } }\nmodels: [{ model: net-0 }, { model: ${third}, align: ${align} }]\n`,
  );
}, 60_000);
afterAll(() => cluster.remove());
// Whatever tasks have published is removed once it is used.
afterEach(() => expect(cluster.listPublished()).toEqual([]));

const alone = (...args: string[]) => runCli(args, { cwd: cluster.work });
/** Reads the files of an output; those of a search that say what was tried, in whatever order. */
const readAll = (output: string) =>
  Object.fromEntries(
    readdirSync(inWork(output)).map((name) => {
      const text = readFileSync(inWork(output, name), "latin1");
      return [name, name.endsWith(".jsonl") ? JSON.parse(text) : text];
    }),
  );

/** Runs a command until it has queued its task, for which there is no worker, and stops it. */
const queueAndStop = (args: readonly string[]) =>
  cluster.runAlone(args, {
    onStart(child) {
      child.stderr?.on("data", (text) => {
        if (String(text).includes("No worker serves")) child.kill("SIGINT");
      });
    },
  });

/** What a command says while workers start, which takes longer on a busy machine. */
const WAITING = /^No worker serves .*\n/gm;
const notesBut = (expected: RegExp, notes: string): string => notes.replaceAll(expected, "");

describe("isthmus merge --storage s3://", () => {
  it.each(["ties", "slerp"])(
    "merge: a worker merges shards by %s, to the bytes that one machine gives",
    async (method) => {
      const [queued, single] = [`queued-${method}`, `alone-${method}`];
      const worker = cluster.startWorker("one");
      const merge = ["merge", `${method}.yml`, "--hash-inputs", "--max-shard-size", "100", "-q"];
      const run = await cluster.run(...merge, "-o", queued);
      cluster.stopWorkers();
      expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("Error")]);
      expect((await alone(...merge, "-o", single)).code).toBe(0);
      expect(Object.keys(readAll(queued)).length).toBeGreaterThan(2);
      expect(readAll(queued)).toEqual(readAll(single));
      expect(countDone([await worker])).toBe(1);
    },
    120_000,
  );

  it("merge: takes what workers have made meanwhile, and refuses it if it was changed", async () => {
    const args = ["merge", "slerp.yml", "-o", "stopped"];
    const stopped = await queueAndStop(args);
    expect([stopped.code, existsSync(inWork("stopped"))]).toEqual([130, false]);
    expect(countDone([await cluster.startWorker("one")])).toBe(1);

    const pieces = cluster.listPublished().find((path) => path.includes("pieces.bin"))!;
    const bytes = readFileSync(pieces);
    writeFileSync(
      pieces,
      bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
    );
    const refused = await cluster.run(...args);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/pieces\.bin" as its SHA-256 digest must be [\da-f]{64}/),
    ]);
    expect(existsSync(inWork("stopped"))).toBe(false);

    writeFileSync(pieces, bytes);
    expect((await cluster.run(...args)).code).toBe(0);
    expect((await alone("merge", "slerp.yml", "-o", "unstopped", "-q")).code).toBe(0);
    expect(readAll("stopped")).toEqual(readAll("unstopped"));
  }, 120_000);

  it("merge: sends a network again that was replaced under its name", async () => {
    const merge = async (): Promise<CliRun> => {
      const worker = cluster.startWorker("one");
      const run = await cluster.run("merge", "changed.yml", "-o", "changed", "-q");
      cluster.stopWorkers();
      await worker;
      return run;
    };
    mkdirSync(inWork("changed-net"));
    const { initialize } = parseNetwork("mlp:6", stripes(100));
    await saveCheckpoint(initialize(5), inWork("changed-net", "model.safetensors"));
    const recipe = readFileSync(inWork("slerp.yml"), "utf8").replace("../elsewhere/net-2", "changed-net");
    writeFileSync(inWork("changed.yml"), recipe);
    expect((await merge()).code).toBe(0);
    const first = readAll("changed");
    await saveCheckpoint(initialize(6), inWork("changed-net", "model.safetensors"), { overwrite: true });
    expect((await merge()).code).toBe(0);
    expect((await alone("merge", "changed.yml", "-o", "changed-alone", "-q")).code).toBe(0);
    expect(readAll("changed")).toEqual(readAll("changed-alone"));
    expect(readAll("changed")).not.toEqual(first);
  }, 120_000);
});

describe("isthmus search and map --storage s3://", () => {
  const data = ["--graph", "../elsewhere/model.onnx", "--data", "npz:../stripes.npz", "-q"];

  it("search: workers judge merges by data that are sent to them, to the bytes that one machine gives", async () => {
    const search = ["search", "search.yml", "--evaluations", "8", ...data];
    const workers = [cluster.startWorker("one"), cluster.startWorker("two")];
    const run = await cluster.run(...search, "-o", "queued/best.safetensors");
    cluster.stopWorkers();
    expect([run.code, notesBut(WAITING, run.stderr)]).toEqual([0, ""]);
    expect((await alone(...search, "-o", "alone/best.safetensors")).code).toBe(0);
    expect(readAll("queued")).toEqual(readAll("alone"));
    expect(countDone(await Promise.all(workers))).toBe(8);
  }, 120_000);

  it("map: a worker measures pairs on data that are sent to them, to the bytes that one machine gives", async () => {
    const map = ["map", "net-0", "nets/net-1", "../elsewhere/net-2", ...data];
    const worker = cluster.startWorker("one");
    const run = await cluster.run(...map, "-o", "queued.json");
    cluster.stopWorkers();
    expect([run.code, notesBut(WAITING, run.stderr)]).toEqual([
      0,
      expect.stringMatching(/^Bytes of npz:.+ are fed as byte \/ 255;.+\n$/),
    ]);
    expect((await alone(...map, "-o", "alone.json")).code).toBe(0);
    const textOf = (name: string) =>
      readFileSync(inWork(`${name}.json`), "utf8").replaceAll(
        /queued|alone|--(queue|storage) \S+|, "--(queue|storage)", "[^"]+"/g,
        "",
      );
    expect(textOf("queued")).toBe(textOf("alone"));
    expect(countDone([await worker])).toBeGreaterThan(0);
  }, 120_000);
});
