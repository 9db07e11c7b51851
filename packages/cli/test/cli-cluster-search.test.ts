import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import {
  type ClusterFolder,
  countDone,
  makeClusterFolder,
  withoutNote,
  writeNetworks,
} from "./cluster-folder.ts";

let cluster: ClusterFolder;
const write = (name: string, text: string) => writeFileSync(join(cluster.work, name), text);

beforeAll(async () => {
  cluster = makeClusterFolder();
  await writeNetworks(cluster.work, [0, 1]);
  const range = "{ search: [0, 1] }";
  write(
    "plain.yml",
    `merge_method: linear\nmodels:\n  - { model: net-0.safetensors, parameters: { weight: ${range} } }\n  - { model: net-1.safetensors, parameters: { weight: 1 } }\n`,
  );
  write(
    "chosen.yml",
    `merge_method: { choose: [linear, slerp] }\nparameters: { t: 0.5 }\nmodels:\n  - { model: { choose: [net-0.safetensors, net-1.safetensors] }, parameters: { weight: ${range} } }\n  - { model: net-1.safetensors, parameters: { weight: 1 } }\n`,
  );
  write(
    "aligned.yml",
    `merge_method: slerp\nbase_model: net-0.safetensors\nparameters: { t: ${range} }\nmodels:\n  - { model: net-0.safetensors }\n  - { model: net-1.safetensors, align: { graph: model.onnx } }\n`,
  );
}, 60_000);
afterAll(() => cluster.remove());

const inFolder = (...names: string[]) => join(cluster.folder, ...names);
const search = (recipe: string, output: string, ...more: string[]) =>
  runCli(
    [
      ...["search", recipe, "-o", inFolder(output, "best.safetensors"), "--graph", "model.onnx"],
      ...["--evaluations", "8", "-q", ...more],
    ],
    { cwd: cluster.work },
  );
const byData = ["--data", "npz:stripes.npz"];
const read = (output: string, name: string) => readFileSync(inFolder(output, name));
const scoresOf = (output: string) =>
  JSON.parse(read(output, "best.safetensors.search.jsonl").toString()) as { readonly pieces: object };

describe("isthmus search --queue", () => {
  it.each(["plain.yml", "aligned.yml", "chosen.yml"])(
    "search: two workers judge the merges of %s, to the bytes that one machine gives",
    async (recipe) => {
      const [queued, alone] = [`queued-${recipe}`, `alone-${recipe}`];
      for (const output of [queued, alone]) mkdirSync(inFolder(output));
      const workers = [cluster.startWorker("one"), cluster.startWorker("two")];
      const run = await search(recipe, queued, ...byData, ...cluster.where);
      cluster.stopWorkers();
      expect([run.code, withoutNote(run.stderr)]).toEqual([0, ""]);
      expect((await search(recipe, alone, ...byData)).code).toBe(0);
      expect(read(queued, "best.safetensors")).toEqual(read(alone, "best.safetensors"));
      expect(scoresOf(queued)).toEqual(scoresOf(alone));
      expect(readdirSync(inFolder(queued)).sort()).toEqual(readdirSync(inFolder(alone)).sort());
      expect(countDone(await Promise.all(workers))).toBe(recipe === "chosen.yml" ? 7 : 8);

      // With its journal, the same search needs no worker.
      rmSync(inFolder(queued, "best.safetensors"));
      expect((await search(recipe, queued, ...byData, ...cluster.where)).code).toBe(0);
      expect(read(queued, "best.safetensors")).toEqual(read(alone, "best.safetensors"));
    },
    120_000,
  );

  it("search: refuses what workers must not run", async () => {
    const refused: readonly (readonly [recipe: string, args: readonly string[], message: RegExp])[] = [
      [
        "plain.yml",
        ["--evaluate", "echo 1 {}", ...cluster.where],
        /--evaluate is code of your own, which workers do not run: it is "echo 1 {}"; judge by --data/,
      ],
      ["plain.yml", [...byData, "--methods", "mine.mjs", ...cluster.where], /methods of your own are code/],
      ["plain.yml", [...byData, ...cluster.queue], /add --storage/],
      ["plain.yml", [...byData, "--storage", cluster.folder], /add --queue/],
      [
        "plain.yml",
        [...byData, ...cluster.queue, "--storage", inFolder("elsewhere")],
        /must lie in the folder that all of them see/,
      ],
    ];
    mkdirSync(inFolder("elsewhere"));
    for (const [recipe, args, message] of refused) {
      const run = await search(recipe, "refused", ...args);
      expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
      const left = existsSync(inFolder("refused")) ? readdirSync(inFolder("refused")) : [];
      expect(left).toEqual([]);
    }
  });
});
