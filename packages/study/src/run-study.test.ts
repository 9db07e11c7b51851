// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "@isthmus/core";
import type { TaskAssignment, TaskExecutor, TasksProgress } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../test/few-images.ts";
import { SMALL_STUDY } from "../test/small-study.ts";
import { restrictStudy } from "./description/restrict-study.ts";
import { type RunStudyOptions, type RunStudyResult, runStudy } from "./run-study.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const TASKS = 42;

/** A result that depends on nothing but the assignment; the barrier on which files it is of. */
function resultOf({ kind, params, inputs }: TaskAssignment): object {
  const text = JSON.stringify([
    kind,
    params,
    Object.entries(inputs).map(([name, paths]) => [name, paths.length]),
  ]);
  const barrier = { loss: { chord: text.length / 1000 } };
  return { kind, data: "few:test", examples: 8, points: [1, 2, 3, 4, 5], barrier };
}

/**
 * Runs nothing: gives results after some turns of the event loop, by `delay` in another order than they were
 * begun.
 */
function fakeExecutor(
  capacity: number,
  {
    delay = () => 1,
    fail,
    together = 1,
  }: {
    delay?: (at: number) => number;
    fail?: (task: TaskAssignment) => boolean;
    /** Tasks, of the first ones, that wait for each other to begin. */
    together?: number;
  } = {},
): TaskExecutor & { readonly begun: TaskAssignment[]; most(): number } {
  const begun: TaskAssignment[] = [];
  let running = 0;
  let most = 0;
  return {
    capacity,
    begun,
    most: () => most,
    async run(assignment, { signal, onProgress }) {
      begun.push(assignment);
      running += 1;
      most = Math.max(most, running);
      while (begun.length < together) await new Promise((resolve) => setImmediate(resolve));
      for (let turn = delay(begun.length); turn > 0; turn--)
        await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      onProgress(0.5);
      signal.throwIfAborted();
      if (fail?.(assignment)) throw new EngineError("Cannot run as it fails: always", { engine: "fake" });
      return resultOf(assignment);
    },
  };
}

function run(executor: TaskExecutor, more: Partial<RunStudyOptions> = {}): Promise<RunStudyResult> {
  const openData = async (name: string) => fewImages(name);
  return runStudy(SMALL_STUDY, { engine: "fake", openData, folder, executor, ...more });
}

describe("runStudy()", () => {
  it("runStudy() says what was trained and measured, and of how many results each number is made", async () => {
    const { study } = await run(fakeExecutor(2));
    expect(study).not.toHaveProperty("only");
    expect(study?.networks).toEqual([
      {
        name: "mlps",
        count: 6,
        variables: { width: [4, 8], seed: [0, 1, 2] },
        settings: { net: "mlp:${width}", data: "few:train", seed: "${seed}", epochs: 3, snapshots: [1, 3] },
      },
    ]);
    expect(study?.measurements).toMatchObject([
      { name: "barriers", count: 24, variables: { alignment: ["none", "weight"] }, settings: { points: 5 } },
    ]);
    const [table] = study?.tables ?? [];
    expect(table?.of).toEqual(["barriers"]);
    expect(table?.measured).toEqual([{ data: "few:test", examples: 8, points: 5 }]);
    const counts = Object.fromEntries(
      (table?.columns ?? []).map(({ key, ...column }) => [key, column.counts]),
    );
    expect(counts["barrier"]).toEqual(Array.from({ length: 8 }, () => 3));
    expect(counts["width"]).toBeUndefined();
  });

  it("runStudy() says of a part which values it has", async () => {
    const openData = async (name: string) => fewImages(name);
    const part = restrictStudy(SMALL_STUDY, { width: ["8"], seed: ["0", "2"] });
    const { study } = await runStudy(part, { engine: "fake", openData, folder, executor: fakeExecutor(2) });
    expect(study?.only).toEqual({ width: [8], seed: [0, 2] });
    expect(study?.networks?.[0]).toMatchObject({ count: 2, variables: { width: [8], seed: [0, 2] } });
    expect(study?.tables[0]?.columns[3]).toMatchObject({ aggregate: "mean", counts: [1, 1, 1, 1] });
  });

  it("runStudy() runs every task once and fills the tables, rows in the order of their variables", async () => {
    const executor = fakeExecutor(2, { together: 2 });
    const { study, ran, kept } = await run(executor);
    expect([ran, kept, executor.begun.length, executor.most()]).toEqual([TASKS, 0, TASKS, 2]);
    expect(
      study?.tables[0]?.rows.map((row) => [row["epochs"], row["alignment"], row["width"], row["pairs"]]),
    ).toEqual([
      [1, "as trained", 4, 3],
      [1, "as trained", 8, 3],
      [1, "weight", 4, 3],
      [1, "weight", 8, 3],
      [3, "as trained", 4, 3],
      [3, "as trained", 8, 3],
      [3, "weight", 4, 3],
      [3, "weight", 8, 3],
    ]);
  });

  it("runStudy() gives the same bytes on any number of workers, in whatever order tasks end", async () => {
    const expected = JSON.stringify((await run(fakeExecutor(1))).study);
    for (const [index, delay] of [(at: number) => at % 5, (at: number) => 7 - (at % 7)].entries()) {
      const { study } = await run(fakeExecutor(3 + index, { delay }), {
        folder: join(folder, `other-${index}`),
      });
      expect(JSON.stringify(study)).toBe(expected);
    }
  });

  it("runStudy() runs nothing twice", async () => {
    const first = await run(fakeExecutor(2));
    const again = fakeExecutor(2);
    const second = await run(again);
    // What barriers were made of is not looked at, but counts as finished.
    expect([second.ran, second.kept, again.begun]).toEqual([0, TASKS, []]);
    expect(JSON.stringify(second.study)).toBe(JSON.stringify(first.study));
  });

  it("runStudy() keeps what was done when a task fails, says what, and goes on with it later", async () => {
    let trained = 0;
    const fail = ({ kind }: TaskAssignment) => kind === "train" && ++trained === 2;
    const broken = await run(fakeExecutor(1, { fail }));
    expect(broken.study).toBeUndefined();
    expect(broken.failures.map(({ task, error }) => [task.label, (error as Error).message])).toEqual([
      ["train mlp:4 seed 1", "Cannot run as it fails: always"],
    ]);
    // Of 3 pairs of the narrow networks 2 have that one, each aligned and measured twice at 2 times.
    expect([broken.blocked.length, broken.ran]).toEqual([12, TASKS - 1 - 12]);
    const rest = await run(fakeExecutor(2));
    expect([rest.ran, rest.failures, rest.study?.tables[0]?.rows.length]).toEqual([13, [], 8]);
  });

  it("runStudy() stops when it is told to, keeps what was done, and goes on to the same bytes", async () => {
    const controller = new AbortController();
    let most = 0;
    const onProgress = ({ completed }: TasksProgress) => {
      most = completed;
      if (completed === 10) controller.abort();
    };
    const stopped = run(fakeExecutor(2), { signal: controller.signal, onProgress });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    const resumed = await run(fakeExecutor(2));
    expect(resumed.ran).toBe(TASKS - most);
    const whole = await run(fakeExecutor(2), { folder: join(folder, "whole") });
    expect(JSON.stringify(resumed.study)).toBe(JSON.stringify(whole.study));
  });

  it("runStudy() clears what a killed run left half-written, and takes over its lock", async () => {
    await run(fakeExecutor(1));
    const kindOf = (key: string) => JSON.parse(readFileSync(join(folder, key, "result.json"), "utf8")).kind;
    const key = readdirSync(folder).find((name) => kindOf(name) === "barrier") ?? "";
    rmSync(join(folder, key, "result.json"));
    for (const name of [".result.json.1-0.tmp", "state.safetensors"])
      writeFileSync(join(folder, key, name), "x");
    // No process has this number: the largest is 2^22.
    writeFileSync(join(folder, ".lock"), String(2 ** 30));
    await run(fakeExecutor(1));
    const left = readdirSync(join(folder, key));
    expect(left).not.toContain(".result.json.1-0.tmp");
    // It may be the state of a training.
    expect(left).toContain("state.safetensors");
    expect(readdirSync(folder)).not.toContain(".lock");
  });

  it("runStudy() leaves a folder alone in which another process is at work", async () => {
    writeFileSync(join(folder, ".lock"), String(process.ppid));
    await expect(run(fakeExecutor(1))).rejects.toThrow(
      /no other process may be at work there: process \d+ is/,
    );
    expect(readFileSync(join(folder, ".lock"), "utf8")).toBe(String(process.ppid));
  });

  it("runStudy() tells how far it is", async () => {
    const seen: TasksProgress[] = [];
    await run(fakeExecutor(2), { onProgress: (at) => seen.push(at) });
    for (const { completed, running, waiting, done } of seen) {
      expect(completed + running.length + waiting).toBe(TASKS);
      expect(done).toBeGreaterThanOrEqual(completed / TASKS);
    }
    expect(seen[0]).toMatchObject({
      completed: 0,
      running: ["train mlp:4 seed 0", "train mlp:4 seed 1"],
      failed: 0,
    });
    expect(seen.at(-1)).toMatchObject({
      completed: TASKS,
      waiting: 0,
      done: 1,
      timeLeft: { seconds: 0, atLeast: false },
    });
  });
});
