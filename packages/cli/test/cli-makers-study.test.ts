import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import { makeOwnStudy, type OwnStudy } from "./own-folder.ts";

let own: OwnStudy;
let cluster: ClusterFolder;
beforeEach(() => {
  own = makeOwnStudy("low-rank", {
    "mnist:train@2000": "npz:stripes.npz:train",
    "mnist:test@500": "npz:stripes.npz:test",
    "rank: [1, 2, 4, 8, 16]": "rank: [1, 16]",
    "seed: 0..1": "seed: [0]",
  });
  cluster = own.cluster;
});
afterEach(() => own.remove());

describe("a study with networks of a maker of one's own", () => {
  it("runs on workers that name its file, to the bytes that threads give, and no result names a path", async () => {
    const worker = cluster.startWorker("one", "--use", join(cluster.work, "own", "low-rank.ts"));
    const queued = await own.run("stripes.yaml", "queued", ...cluster.where);
    cluster.stopWorkers();
    expect(queued.code).toBe(0);
    expect((await own.run("stripes.yaml", "threads", "--workers", "2")).code).toBe(0);
    expect(own.filesOf("queued")).toEqual(own.filesOf("threads"));
    expect((await worker).stdout).toMatch(/5 done, 0 failed/);
    for (const [, text] of own.filesOf("queued")) expect(text).not.toContain(cluster.folder);
    const { tables } = own.resultOf("threads");
    expect(tables[0]?.rows.map((row) => row["pair"])).toEqual(["mlps-1", "mlps-16"]);
  });

  it("is refused by workers that do not, whatever its tasks say, and they say what to do", async () => {
    const worker = cluster.startWorker("one");
    const { code, stdout, stderr } = await own.run("stripes.yaml", "queued", ...cluster.where);
    cluster.stopWorkers();
    expect(code).toBe(2);
    expect(stdout + stderr).toMatch(
      /a worker runs kinds that it knows: it is "low-rank", .*start the worker with --use and the file that defines it/,
    );
    expect((await worker).stdout).toMatch(/1 done, 2 failed/);
    await runCli(["queue", "cancel", "--all", ...cluster.queue]);
  });

  it("checks the options of its entries, and says which line is wrong", async () => {
    const change = (from: string, to: string) =>
      writeFileSync(join(cluster.work, "own", "changed.yaml"), own.text.replace(from, to));
    const fail = async (from: string, to: string) => {
      change(from, to);
      return (await own.run("changed.yaml", "out", "--list")).stderr;
    };
    expect(await fail("    low-rank: mlps", "    low-rank: mlps\n    rnak: 2")).toMatch(
      /changed\.yaml:\d+: unknown key "rnak"; did you mean "rank"\?/,
    );
    expect(await fail("rank: [1, 16]", "rank: [0, 16]")).toMatch(/"networks\.low\.rank" must be at least 1/);
    expect(await fail("low-rank: mlps", "low-rank: nets")).toMatch(/there must be networks "nets"/);
    change("use: [./low-rank.ts]\n", "");
    const without = await runCli(...own.words("changed.yaml", "out", "--list"));
    expect(without.stderr).toMatch(/"networks\.low\.graph" is missing/);
  });
});
