import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAlone, runCli } from "../../../test/helpers/run-cli.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import { exampleFile, makeOwnStudy, type OwnStudy } from "./own-folder.ts";

let own: OwnStudy;
let cluster: ClusterFolder;
beforeEach(() => {
  own = makeOwnStudy("gradient-norm", {
    "mnist:train@1000": "npz:stripes.npz:train",
    "mnist:test@100": "npz:stripes.npz:test",
  });
  cluster = own.cluster;
});
afterEach(() => own.remove());

describe("a study with measurements of one's own", () => {
  it("runs in threads as its file lies beside it, and names no path of this machine", async () => {
    const { code, stderr } = await runAlone(...own.words("stripes.yaml", "out", "--workers", "2"));
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("isthmus")]);
    const { tables } = own.resultOf("out");
    expect(tables[0]?.rows.map((row) => [row["epochs"], row["networks"]])).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(tables[0]?.rows.every((row) => Number(row["norm"]) > 0)).toBe(true);
    for (const [, text] of own.filesOf("out")) expect(text).not.toContain(cluster.folder);
    expect(JSON.stringify(own.resultOf("out"))).not.toContain(cluster.folder);
  });

  it("runs by --use if the study names no file, and without it says which kinds there are", async () => {
    writeFileSync(join(cluster.work, "own", "plain.yaml"), own.text.replace(/^use: .*\n/m, ""));
    const without = await runCli(...own.words("plain.yaml", "out"));
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringMatching(/"measurements\.steepness\.kind"/),
    ]);
    const list = await own.run("plain.yaml", "out", "--list", "--use", "own/gradient-norm.ts");
    expect([list.code, list.stdout]).toEqual([
      0,
      expect.stringContaining("gradient-norm of mlp:16 seed 0 epoch 1"),
    ]);
    const done = await own.run("plain.yaml", "out", "--use", "own/gradient-norm.ts", "--workers", "1");
    expect(done.code).toBe(0);
    expect(own.resultOf("out").tables[0]?.rows).toHaveLength(3);
  });

  it("checks the options of its entries, and which files it names", async () => {
    const change = (from: string | RegExp, to: string) =>
      writeFileSync(join(cluster.work, "own", "changed.yaml"), own.text.replace(from, to));
    change("kind: gradient-norm", "kind: gradient-norm\n    norm: longest");
    expect((await own.run("changed.yaml", "out")).stderr).toMatch(
      /steepness\.norm" must be one of .*euclidean.*largest/,
    );
    change("[./gradient-norm.ts]", "[./nonesuch.ts]");
    expect((await own.run("changed.yaml", "out")).stderr).toMatch(
      /Cannot use ".*own.nonesuch\.ts" as it must be a file/,
    );
    change("[./gradient-norm.ts]", "{ a: 1 }");
    expect((await own.run("changed.yaml", "out")).stderr).toMatch(/"use" must be a list/);
    const taken = readFileSync(exampleFile("gradient-norm/gradient-norm.ts"), "utf8");
    writeFileSync(
      join(cluster.work, "own", "taken.ts"),
      taken.replace('kind: "gradient-norm"', 'kind: "train"'),
    );
    change("[./gradient-norm.ts]", "[./taken.ts]");
    expect((await own.run("changed.yaml", "out")).stderr).toMatch(
      /as its kind must be new: there is "train" already/,
    );
  });

  it("runs on workers that name its file, to the bytes that threads give", async () => {
    const worker = cluster.startWorker("one", "--use", join(cluster.work, "own", "gradient-norm.ts"));
    const queued = await own.run("stripes.yaml", "queued", ...cluster.where);
    cluster.stopWorkers();
    expect(queued.code).toBe(0);
    expect((await own.run("stripes.yaml", "threads", "--workers", "1")).code).toBe(0);
    expect(own.filesOf("queued")).toEqual(own.filesOf("threads"));
    expect((await worker).stdout).toMatch(/8 done, 0 failed/);
  });

  it("is refused by workers that do not, whatever its tasks say, and they say what to do", async () => {
    const worker = cluster.startWorker("one");
    const { code, stdout, stderr } = await own.run("stripes.yaml", "queued", ...cluster.where);
    cluster.stopWorkers();
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(
      /a worker runs kinds that it knows: it is "gradient-norm", .*start the worker with --use and the file that defines it/,
    );
    expect((await worker).stdout).toMatch(/2 done, 6 failed/);
    await runCli(["queue", "cancel", "--all", ...cluster.queue]);
  });
});
