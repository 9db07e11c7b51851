import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimulationResult } from "@isthmus/simulation";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const SIMULATION = `title: Stripes
federation:
  net: mlp:4
  data: npz:stripes.npz:train
  evaluate: npz:stripes.npz:test
  clients: 4
  rounds: 2
  client: { batch: 8 }
strategies:
  mean: { rule: fedavg }
  median: { rule: coordinate-median }
attacks:
  none: null
  flip: { name: sign-flip, attackers: 1 }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-simulate-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  writeFileSync(join(folder, "stripes.yaml"), SIMULATION);
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => runCli(["federate", "simulate", ...args], { cwd: folder });

describe("isthmus federate simulate", () => {
  it("isthmus federate simulate writes results, figures and a page, and goes on from what is there", async () => {
    const listed = await run("stripes.yaml", "--list");
    expect(listed.stdout).toContain("4 tasks to run (4 federation), 0 finished before");
    const first = await runJson<SimulationResult & { ran: number; outputs: string[] }>(
      ["federate", "simulate", "stripes.yaml", "--workers", "2"],
      { cwd: folder },
      runAlone,
    );
    expect([first.ran, first.runs.length]).toEqual([4, 4]);
    expect(readdirSync(join(folder, "stripes"))).toEqual(
      expect.arrayContaining(["simulation.html", "simulation.json", "accuracy.csv", "partition-1.svg"]),
    );
    const again = await run("stripes.yaml");
    expect(again.stdout).toMatch(/^Stripes: accuracy after 2 rounds \(%\)/);
    expect(again.stdout).toMatch(/Strategy +none +flip\nmean +\d/);
    expect(again.stdout).toContain("0 federations simulated, 4 there before");
    const report = await runCli(["report", "stripes/simulation.json"], { cwd: folder });
    expect(report.stdout).toMatch(/Strategy +none +flip/);
  });

  it("isthmus federate simulate prints a file that comes with the program, and names lines of mistakes", async () => {
    expect((await run("attacks", "--print")).stdout).toMatch(/^title: Attacks on aggregation rules/);
    writeFileSync(join(folder, "wrong.yaml"), SIMULATION.replace("rule: coordinate", "rul: coordinate"));
    const wrong = await run("wrong.yaml");
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/wrong.yaml:11: unknown key "rul"; did you mean "rule"/),
    ]);
  });
});
