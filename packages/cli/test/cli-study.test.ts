// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StudyResult } from "@isthmus/study";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeStripes } from "../../../test/helpers/encode-stripes.ts";
import { runAlone, runCli, runJson } from "../../../test/helpers/run-cli.ts";

const STUDY = `title: Stripes
description: Two widths on images of stripes.
networks:
  mlps:
    for: { width: [4, 8], seed: 0..1 }
    net: mlp:\${width}
    data: npz:stripes.npz:train
    seed: \${seed}
    epochs: 20
    snapshots: [1, 20]
    batch: 16
measurements:
  barriers:
    kind: barrier
    for: { alignment: [none, weight] }
    between: mlps
    align: \${alignment}
    data: npz:stripes.npz:test
    points: 5
tables:
  barriers:
    title: Barriers
    of: barriers
    by: [epochs, alignment, width]
    columns:
      epochs: { title: Epochs }
      alignment: { title: Second network }
      width: { title: Width }
      barrier: { title: Barrier, unit: nats, mean: barrier.loss.chord }
figures:
  - title: Stripes by width
    caption: Barriers, a line for each.
    table: barriers
    mark: line
    x: width
    y: barrier
    series: alignment
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-study-"));
  writeFileSync(join(folder, "stripes.npz"), encodeStripes());
  writeFileSync(join(folder, "stripes.yaml"), STUDY);
});
afterEach(() => rmSync(folder, { recursive: true }));

type CliStudy = StudyResult & {
  readonly ran: number;
  readonly kept: number;
  readonly outputs: readonly string[];
};

const run = (...args: string[]) => runCli(["study", ...args], { cwd: folder });
const json = <T = CliStudy>(...args: string[]) => runJson<T>(["study", ...args], { cwd: folder });
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");

/** Runs the study in one worker until something says that it is somewhere, and kills it then. */
async function runAndKill(isThere: (tasks: readonly string[]) => boolean): Promise<void> {
  const tasks = join(folder, "stripes", "tasks");
  const list = () => (existsSync(tasks) ? readdirSync(tasks, { recursive: true }).map(String) : []);
  await runAlone(["study", "stripes.yaml", "--workers", "1"], {
    cwd: folder,
    onStart: (child) => {
      const timer = setInterval(() => {
        if (isThere(list())) child.kill("SIGKILL");
      }, 5);
      child.on("close", () => clearInterval(timer));
    },
  });
}

describe("isthmus study", () => {
  it("isthmus study trains, aligns and measures in threads, writes tables, and runs nothing twice", async () => {
    const listed = await json<{ missing: { kind: string }[] }>("stripes.yaml", "--list");
    expect(listed.missing).toHaveLength(4 + 4 + 8);
    expect(existsSync(join(folder, "stripes"))).toBe(false);

    const study = await runJson<CliStudy>(
      ["study", "stripes.yaml", "--workers", "2"],
      { cwd: folder },
      runAlone,
    );
    expect(study).toMatchObject({ kind: "study", ran: 16, kept: 0, seed: 0 });
    expect(study.tables[0]?.rows).toHaveLength(8);
    const names = ["study.json", "study.html", "barriers.csv", "figure-1.svg"];
    expect(study.outputs).toEqual(names.map((name) => join("stripes", name)));
    const { ran: _, kept: __, outputs: ___, ...saved } = study;
    expect(JSON.parse(read("stripes", "study.json"))).toEqual(saved);
    expect(saved).toMatchObject({ provenance: { command: "isthmus study stripes.yaml" } });
    expect(study.tables[0]).toMatchObject({
      of: ["barriers"],
      measured: [{ data: "npz:stripes.npz:test", points: 5 }],
    });
    expect(read("stripes", "study.html")).toContain("Each mark is one measurement. Measured at 5 places");
    expect(read("stripes", "barriers.csv")).toMatch(
      /^Epochs,Second network,Width,Barrier \(nats\)\r\n1,none,4,/,
    );

    const { code, stdout } = await run("stripes.yaml");
    expect(code).toBe(0);
    expect(stdout).toContain("0 tasks run, 16 were finished before");
    expect(stdout).toMatch(/^ +20 +weight +8 +\d/m);
  });

  it("isthmus study says of a part what it is, and draws a single width as bars", async () => {
    const part = await json("stripes.yaml", "--only", "width=4", "-o", "part");
    expect(part).toMatchObject({
      only: { width: [4] },
      provenance: { command: "isthmus study stripes.yaml --only width=4" },
    });
    const page = read("part", "study.html");
    expect(page).toContain("<title>Stripes (a part)</title>");
    expect(page).toContain("This is a part of a study: width 4 only. The study as a whole: Two widths");
    expect(page).toContain("net mlp:${width}; data npz:stripes.npz:train");
    const { stdout } = await run("stripes.yaml", "--only", "width=4", "-o", "part");
    expect(stdout).toContain("A part of the study: width 4 only");
    const [, drawn = ""] = stdout.split("Stripes by width\n\n");
    expect(drawn).toMatch(/^Width +Second network +Barrier \(nats\)\n4 +none +\d/);
    const { only: _, ...again } = await json<StudyResult>("stripes.yaml", "--only", "width=4", "--print");
    writeFileSync(join(folder, "again.json"), JSON.stringify(again));
    expect((await run("again.json", "--list")).code).toBe(0);
  });

  it("isthmus study gives the same bytes when it was killed twice, once while it trained", async () => {
    await runAndKill((files) => files.some((file) => file.endsWith("state.safetensors")));
    expect(existsSync(join(folder, "stripes", "study.json"))).toBe(false);
    await runAndKill((files) => files.some((file) => file.endsWith("alignment.json")));
    const resumed = await json("stripes.yaml", "--workers", "2");
    expect(resumed.ran).toBeLessThan(16);
    expect(resumed.kept).toBeGreaterThan(0);
    const whole = await json("stripes.yaml", "--workers", "1", "-o", "whole");
    expect(whole.ran).toBe(16);
    for (const name of ["study.json", "barriers.csv", "figure-1.svg"]) {
      expect(read("stripes", name)).toBe(read("whole", name));
    }
    const files = readdirSync(join(folder, "stripes", "tasks"), { recursive: true }).map(String);
    expect(files.filter((file) => /\.tmp$|state\.safetensors$/.test(file))).toEqual([]);
    // Not only the tables: every file of every task is the same, times aside.
    for (const file of files.filter((name) => /\.(safetensors|onnx)$|result\.json$/.test(name))) {
      const [one, other] = ["stripes", "whole"].map((name) =>
        readFileSync(join(folder, name, "tasks", file)),
      );
      expect(one?.equals(other ?? Buffer.alloc(0)), file).toBe(true);
    }
  }, 180_000);

  it("isthmus study names the line of an unknown key, and runs nothing", async () => {
    writeFileSync(join(folder, "bad.yaml"), STUDY.replace("epochs: 20", "epoch: 20"));
    const { code, stderr } = await run("bad.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain('bad.yaml:9: unknown key "epoch"; did you mean "epochs"?');
    expect(existsSync(join(folder, "bad"))).toBe(false);
  });

  it("isthmus study refuses data that do not fit before it runs anything", async () => {
    writeFileSync(join(folder, "bad.yaml"), STUDY.replace("data: npz:stripes.npz:test", "data: mnist:test"));
    const { code, stderr } = await run("bad.yaml");
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot measure on "mnist:test" as its examples must fit the graph's input/);
    expect(existsSync(join(folder, "bad"))).toBe(false);
  });

  it("isthmus study keeps what was done when a training goes astray, and tells which", async () => {
    const wild = STUDY.replace(
      "net: mlp:${width}",
      "net: mlp:${width}\n    schedule: { kind: constant, learningRate: 1e30 }",
    );
    writeFileSync(join(folder, "wild.yaml"), wild);
    const { code, stdout, stderr } = await run("wild.yaml");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^train mlp:4 seed 0(?: and \d more)?: Cannot go on training at step \d+ of \d+/m);
    expect(stdout).toContain(
      "4 tasks failed; 12 more could not be begun. The finished part, 0 tasks, is kept",
    );
    expect(stderr).toContain("4 of the study's tasks failed");
  });

  it("isthmus study calls it wrong usage when a thread refuses an option", async () => {
    const ahead = STUDY.replace(
      "net: mlp:${width}",
      "net: mlp:${width}\n    optimizer: { kind: sgd, nesterov: true }",
    );
    writeFileSync(join(folder, "ahead.yaml"), ahead);
    const { code, stdout } = await run("ahead.yaml");
    expect(stdout).toMatch(
      /^train mlp:4 seed 0 and 3 more: Cannot use sgd as "momentum" must be more than 0 with nesterov: it is 0$/m,
    );
    expect(code).toBe(2);
  });
});
