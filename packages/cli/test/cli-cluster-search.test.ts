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
const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, "work", name), text);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-cluster-search-"));
  mkdirSync(join(folder, "work"));
  write("stripes.npz", encodeStripes());
  const { graph, initialize } = parseNetwork("mlp:6", stripes(100));
  write("model.onnx", encodeGraph(graph));
  for (const seed of [0, 1])
    await saveCheckpoint(initialize(seed), join(folder, "work", `net-${seed}.safetensors`));
  const range = "{ search: [0, 1] }";
  write(
    "plain.yml",
    `merge_method: linear\nmodels:\n  - { model: net-0.safetensors, parameters: { weight: ${range} } }\n  - { model: net-1.safetensors, parameters: { weight: 1 } }\n`,
  );
  write(
    "aligned.yml",
    `merge_method: slerp\nbase_model: net-0.safetensors\nparameters: { t: ${range} }\nmodels:\n  - { model: net-0.safetensors }\n  - { model: net-1.safetensors, align: { graph: model.onnx } }\n`,
  );
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const where = () => ["--queue", join(folder, "queue"), "--storage", folder];
const search = (recipe: string, output: string, ...more: string[]) =>
  runCli(
    [
      ...["search", recipe, "-o", join(folder, output, "best.safetensors"), "--graph", "model.onnx"],
      ...["--evaluations", "8", "-q", ...more],
    ],
    { cwd: join(folder, "work") },
  );
const byData = ["--data", "npz:stripes.npz"];
const work = (name: string) =>
  runAlone(["worker", ...where(), "--name", name, "--concurrency", "1", "--idle", "4"], { cwd: folder });
const read = (output: string, name: string) => readFileSync(join(folder, output, name));
const scoresOf = (output: string) =>
  JSON.parse(read(output, "best.safetensors.search.jsonl").toString()) as { readonly pieces: object };

describe("isthmus search --queue", () => {
  it.each(["plain.yml", "aligned.yml"])(
    "search: two workers judge the merges of %s, to the bytes that one machine gives",
    async (recipe) => {
      const [queued, alone] = [`queued-${recipe}`, `alone-${recipe}`];
      for (const output of [queued, alone]) mkdirSync(join(folder, output));
      const workers = [work("one"), work("two")];
      const run = await search(recipe, queued, ...byData, ...where());
      expect([run.code, run.stderr]).toEqual([0, ""]);
      expect((await search(recipe, alone, ...byData)).code).toBe(0);
      expect(read(queued, "best.safetensors")).toEqual(read(alone, "best.safetensors"));
      expect(scoresOf(queued)).toEqual(scoresOf(alone));
      expect(readdirSync(join(folder, queued)).sort()).toEqual(readdirSync(join(folder, alone)).sort());
      const runs = await Promise.all(workers);
      const done = runs.map(({ stdout }) => Number(/(\d+) done, 0 failed, 0 given back/.exec(stdout)?.[1]));
      expect(done.reduce((a, b) => a + b)).toBe(8);

      // With its journal, the same search needs no worker.
      rmSync(join(folder, queued, "best.safetensors"));
      expect((await search(recipe, queued, ...byData, ...where())).code).toBe(0);
      expect(read(queued, "best.safetensors")).toEqual(read(alone, "best.safetensors"));
    },
    120_000,
  );

  it("search: refuses what workers must not run", async () => {
    const refused: readonly (readonly [recipe: string, args: readonly string[], message: RegExp])[] = [
      [
        "plain.yml",
        ["--evaluate", "echo 1 {}", ...where()],
        /--evaluate is code of your own, which workers do not run: it is "echo 1 {}"; judge by --data/,
      ],
      ["plain.yml", [...byData, "--methods", "mine.mjs", ...where()], /methods of your own are code/],
      [
        "plain.yml",
        [...byData, "--queue", join(folder, "queue"), "--storage", "s3://bucket"],
        /--storage is "s3:\/\/bucket"/,
      ],
      ["plain.yml", [...byData, "--queue", join(folder, "queue")], /add --storage/],
      ["plain.yml", [...byData, "--storage", folder], /add --queue/],
      [
        "plain.yml",
        [...byData, "--queue", join(folder, "queue"), "--storage", join(folder, "elsewhere")],
        /must lie in the folder that all of them see/,
      ],
    ];
    mkdirSync(join(folder, "elsewhere"));
    for (const [recipe, args, message] of refused) {
      const run = await search(recipe, "refused", ...args);
      expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
      const left = existsSync(join(folder, "refused")) ? readdirSync(join(folder, "refused")) : [];
      expect(left).toEqual([]);
    }
  });
});
