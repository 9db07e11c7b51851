import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeTensors } from "../../test-fixtures/fixtures.ts";
import { layOut, RUNS, trainingRun } from "../../test-fixtures/runs.ts";
import { at } from "../invariant.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { saveCheckpoint } from "../save-checkpoint.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-runs-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("what is read is written as safetensors without a change, as the table of the docs says", async () => {
  const rows: string[] = [];
  for (const name of RUNS) {
    const { files, tensors, madeBy } = trainingRun(name);
    await using checkpoint = await openCheckpoint(await layOut(join(folder, "table", name), files));
    const written = join(folder, `${name}.safetensors`);
    await saveCheckpoint(checkpoint, written);
    await using again = await openCheckpoint(written);
    expect(await describeTensors(again)).toEqual(tensors);
    rows.push(`| \`${name}\` | ${madeBy} | ${again.tensors.size} | 0 |`);
  }
  const docs = await readFile(new URL("../../../../docs/training-runs.md", import.meta.url), "utf8");
  expect(docs).toContain(`|---|---|---|---|\n${rows.join("\n")}\n\n`);
});

describe.each(RUNS)("openCheckpoint() of %s", (name) => {
  it("reads every tensor, and no other, as the program that wrote it does", async () => {
    const { files, tensors } = trainingRun(name);
    await using checkpoint = await openCheckpoint(await layOut(join(folder, name), files));
    expect(await describeTensors(checkpoint)).toEqual(tensors);
    for (const file of checkpoint.files) expect(file).toContain(join(folder, name));
  });

  it("reads any range of a tensor", async () => {
    const { files } = trainingRun(name);
    await using checkpoint = await openCheckpoint(await layOut(join(folder, name), files));
    const names = [...checkpoint.tensors.keys()];
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(), async (pick, a, b) => {
        const tensor = at(names, pick % names.length);
        const { data } = await checkpoint.read(tensor);
        const [begin = 0, end = 0] = [a % (data.length + 1), b % (data.length + 1)].sort((x, y) => x - y);
        expect(await checkpoint.readRange(tensor, begin, end)).toEqual(data.slice(begin, end));
      }),
      { numRuns: 60 },
    );
  });
});
