import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveCheckpoint } from "@isthmus/core";
import { encodeGraph } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-cluster-map-"));
  mkdirSync(join(folder, "work"));
  writeFileSync(join(folder, "work", "stripes.npz"), encodeStripes());
  const { graph, initialize } = parseNetwork("mlp:6", stripes(100));
  writeFileSync(join(folder, "work", "model.onnx"), encodeGraph(graph));
  for (const seed of [0, 1, 2, 3])
    await saveCheckpoint(initialize(seed % 3), join(folder, "work", `net-${seed}.safetensors`));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const where = () => ["--queue", join(folder, "queue"), "--storage", folder];
/** Maps four networks, of which the last is the first again. */
const map = (output: string, ...more: string[]) =>
  runCli(
    [
      ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz", "-q"],
      ...["--journal", join(folder, `${output}.journal`), "-o", join(folder, `${output}.json`), ...more],
    ],
    { cwd: join(folder, "work") },
  );
const work = (name: string) =>
  runAlone(["worker", ...where(), "--name", name, "--concurrency", "1", "--idle", "4"], { cwd: folder });
const textOf = (name: string) => readFileSync(join(folder, name), "utf8").replaceAll(/queued|threads/g, "X");
const piecesOf = (name: string) => JSON.parse(textOf(`${name}.journal`)) as { readonly pieces: object };

describe("isthmus map --queue", () => {
  it("map: two workers measure the pairs, to the bytes that one machine gives", async () => {
    const workers = [work("one"), work("two")];
    const queued = await map("queued", ...where());
    expect([queued.code, queued.stderr]).toEqual([0, ""]);
    expect((await map("threads")).code).toBe(0);
    expect(textOf("queued.json")).toBe(textOf("threads.json"));
    expect(piecesOf("queued")).toEqual(piecesOf("threads"));
    expect(readdirSync(folder).filter((name) => name.endsWith(".isthmus-tasks"))).toEqual([]);
    const runs = await Promise.all(workers);
    const done = runs.map(({ stdout }) => Number(/(\d+) done, 0 failed, 0 given back/.exec(stdout)?.[1]));
    // Six pairs as they are, three of which are the same files again, and six aligned ones.
    expect(done.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(6);

    // With its journal, the same map needs no worker.
    rmSync(join(folder, "queued.json"));
    expect((await map("queued", ...where())).code).toBe(0);
    expect(textOf("queued.json")).toBe(textOf("threads.json"));
  }, 120_000);

  it("map: goes on from what workers found before it was stopped", async () => {
    const worker = work("one");
    const stopped = await runAlone(
      [
        ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz"],
        ...["-o", join(folder, "stopped.json"), ...where()],
      ],
      {
        cwd: join(folder, "work"),
        onStart: (child) => {
          const tasks = join(folder, "stopped.json.isthmus-tasks");
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
      work("two"),
      runCli(
        [
          ...["map", "net-?.safetensors", "--graph", "model.onnx", "--data", "npz:stripes.npz"],
          ...["-o", join(folder, "stopped.json"), ...where()],
        ],
        { cwd: join(folder, "work") },
      ),
    ]);
    expect(again.code).toBe(0);
    expect(existsSync(join(folder, "stopped.json.isthmus-tasks"))).toBe(false);
  }, 120_000);

  it("map: refuses a storage without a queue", async () => {
    const run = await map("alone", "--storage", folder);
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(/add --queue/)]);
  });
});
