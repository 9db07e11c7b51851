import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StudyResult } from "@isthmus/study";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import { type ClusterFolder, makeClusterFolder } from "./cluster-folder.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/low-rank/", import.meta.url));

let cluster: ClusterFolder;
let study: string;
/** The example's file, in a folder of its own, and a copy of its study that learns stripes. */
beforeEach(() => {
  cluster = makeClusterFolder();
  mkdirSync(join(cluster.work, "own"));
  copyFileSync(join(EXAMPLE, "low-rank.ts"), join(cluster.work, "own", "low-rank.ts"));
  study = readFileSync(join(EXAMPLE, "low-rank.yaml"), "utf8")
    .replace("mnist:train@2000", "npz:stripes.npz:train")
    .replace("mnist:test@500", "npz:stripes.npz:test")
    .replace("rank: [1, 2, 4, 8, 16]", "rank: [1, 16]")
    .replace("seed: 0..1", "seed: [0]");
  writeFileSync(join(cluster.work, "own", "stripes.yaml"), study);
});
afterEach(() => cluster.remove());

const run = (name: string, output: string, ...more: string[]) =>
  runAlone(["study", join("own", name), "-o", join(cluster.folder, output), "-q", ...more], {
    cwd: cluster.work,
  });
const filesOf = (output: string) =>
  readdirSync(join(cluster.folder, output, "tasks")).map((key) => [
    key,
    readFileSync(join(cluster.folder, output, "tasks", key, "result.json"), "utf8"),
  ]);

describe("a study with networks of a maker of one's own", () => {
  it("runs on workers that name its file, to the bytes that threads give, and no result names a path", async () => {
    const worker = cluster.startWorker("one", "--use", join(cluster.work, "own", "low-rank.ts"));
    const queued = await run("stripes.yaml", "queued", ...cluster.where);
    expect(queued.code).toBe(0);
    expect((await run("stripes.yaml", "threads", "--workers", "2")).code).toBe(0);
    expect(filesOf("queued")).toEqual(filesOf("threads"));
    expect((await worker).stdout).toMatch(/5 done, 0 failed/);
    for (const [, text] of filesOf("queued")) expect(text).not.toContain(cluster.folder);
    const { tables }: StudyResult = JSON.parse(
      readFileSync(join(cluster.folder, "threads", "study.json"), "utf8"),
    );
    expect(tables[0]?.rows.map((row) => row["pair"])).toEqual(["mlps-1", "mlps-16"]);
  });

  it("is refused by workers that do not, whatever its tasks say, and they say what to do", async () => {
    const worker = cluster.startWorker("one");
    const { code, stdout, stderr } = await run("stripes.yaml", "queued", ...cluster.where);
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(
      /a worker runs kinds that it knows: it is "low-rank", .*start the worker with --use and the file that defines it/,
    );
    expect((await worker).stdout).toMatch(/1 done, 2 failed/);
    await runCli(["queue", "cancel", "--all", ...cluster.queue]);
  });

  it("checks the options of its entries, and says which line is wrong", async () => {
    const fail = async (from: string, to: string) => {
      writeFileSync(join(cluster.work, "own", "changed.yaml"), study.replace(from, to));
      return (await run("changed.yaml", "out", "--list")).stderr;
    };
    expect(await fail("    low-rank: mlps", "    low-rank: mlps\n    rnak: 2")).toMatch(
      /changed\.yaml:\d+: unknown key "rnak"; did you mean "rank"\?/,
    );
    expect(await fail("rank: [1, 16]", "rank: [0, 16]")).toMatch(/"networks\.low\.rank" must be at least 1/);
    expect(await fail("low-rank: mlps", "low-rank: nets")).toMatch(/there must be networks "nets"/);
    expect(await fail("use: [./low-rank.ts]\n", "")).toMatch(/"networks\.low\.graph" is missing/);
  });
});
