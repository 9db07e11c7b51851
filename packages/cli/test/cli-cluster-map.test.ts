import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import {
  type ClusterFolder,
  countDone,
  makeClusterFolder,
  withoutNote,
  writeNetworks,
} from "./cluster-folder.ts";

let cluster: ClusterFolder;
beforeAll(async () => {
  cluster = makeClusterFolder();
  await writeNetworks(cluster.work, [0, 1, 2, 0]);
}, 60_000);
afterAll(() => cluster.remove());

const inFolder = (name: string) => join(cluster.folder, name);
/** Maps four networks, of which the last is the first again. */
const map = (output: string, ...more: string[]) =>
  runCli(
    [
      ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz", "-q"],
      ...["--journal", inFolder(`${output}.journal`), "-o", inFolder(`${output}.json`), ...more],
    ],
    { cwd: cluster.work },
  );
const textOf = (name: string) => readFileSync(inFolder(name), "utf8").replaceAll(/queued|threads/g, "X");
const piecesOf = (name: string) => JSON.parse(textOf(`${name}.journal`)) as { readonly pieces: object };

describe("isthmus map --queue", () => {
  it("map: two workers measure the pairs, to the bytes that one machine gives", async () => {
    const workers = [cluster.startWorker("one"), cluster.startWorker("two")];
    const queued = await map("queued", ...cluster.where);
    cluster.stopWorkers();
    expect([queued.code, withoutNote(queued.stderr)]).toEqual([0, ""]);
    expect((await map("threads")).code).toBe(0);
    expect(textOf("queued.json")).toBe(textOf("threads.json"));
    expect(piecesOf("queued")).toEqual(piecesOf("threads"));
    expect(readdirSync(cluster.folder).filter((name) => name.endsWith(".isthmus-tasks"))).toEqual([]);
    // Six pairs as they are, three of which are the same files again, and six aligned ones.
    expect(countDone(await Promise.all(workers))).toBeGreaterThanOrEqual(6);

    // With its journal, the same map needs no worker.
    rmSync(inFolder("queued.json"));
    expect((await map("queued", ...cluster.where)).code).toBe(0);
    expect(textOf("queued.json")).toBe(textOf("threads.json"));
  }, 120_000);

  it("map: says in its help what workers do, and what runs here", async () => {
    const { stdout } = await runCli(["map", "--help"]);
    expect(stdout).toMatch(/workers measure the pairs; the alignment itself runs on this machine/);
  });

  it("map: goes on from what workers found before it was stopped", async () => {
    const worker = cluster.startWorker("one");
    const stopped = await runAlone(
      [
        ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz"],
        ...["-o", inFolder("stopped.json"), ...cluster.where],
      ],
      {
        cwd: cluster.work,
        onStart: (child) => {
          const tasks = inFolder("stopped.json.isthmus-tasks");
          const look = setInterval(() => {
            const names = existsSync(tasks) ? readdirSync(tasks) : [];
            if (child.exitCode === null && !names.some((name) => /^[\da-f]{24}$/.test(name))) return;
            clearInterval(look);
            child.kill("SIGINT");
          }, 20);
        },
      },
    );
    expect([stopped.code, stopped.stderr]).toEqual([
      130,
      expect.stringMatching(/workers go on with the tasks/),
    ]);
    await worker;
    const [, again] = await Promise.all([
      cluster.startWorker("two"),
      runCli(
        [
          ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz"],
          ...["-o", inFolder("stopped.json"), ...cluster.where],
        ],
        { cwd: cluster.work },
      ).finally(cluster.stopWorkers),
    ]);
    expect(again.code).toBe(0);
    expect(existsSync(inFolder("stopped.json.isthmus-tasks"))).toBe(false);
  }, 120_000);

  it("map: refuses a storage without a queue", async () => {
    const run = await map("alone", "--storage", cluster.folder);
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(/add --queue/)]);
  });
});
