import { describe, expect, it } from "vitest";
import { runTask } from "./run-task.ts";
import { createTaskKinds, type TaskKind } from "./task-kind.ts";

interface Adder {
  add(a: number, b: number): number;
}
const sum: TaskKind<{ readonly of: readonly number[] }, Adder> = {
  name: "sum",
  version: 1,
  async run({ add, folder, onProgress }, { of }, inputs) {
    onProgress(1);
    return { sum: of.reduce(add, 0), folder, inputs };
  },
};
const ports: Adder = { add: (a, b) => a + b };
const control = { signal: new AbortController().signal, onProgress: () => {} };

describe("runTask()", () => {
  it("runTask() runs a task of a kind of the registry that it is given", async () => {
    const assignment = { kind: "sum", params: { of: [1, 2] }, inputs: { x: ["y"] }, folder: "f" };
    const result = await runTask(
      createTaskKinds<Adder>([sum as TaskKind<object, Adder>]),
      assignment,
      ports,
      control,
    );
    expect(result).toEqual({ sum: 3, folder: "f", inputs: { x: ["y"] } });
  });

  it("runTask() refuses a kind that is not in the registry", async () => {
    const kinds = createTaskKinds<Adder>([sum as TaskKind<object, Adder>]);
    for (const kind of ["product", "toString"]) {
      await expect(
        runTask(kinds, { kind, params: {}, inputs: {}, folder: "f" }, ports, control),
      ).rejects.toThrow(`its kind must be one of sum: it is "${kind}"`);
    }
  });

  it("createTaskKinds() refuses two kinds of one name", () => {
    const kind = sum as TaskKind<object, Adder>;
    expect(() => createTaskKinds([kind, kind])).toThrow(/two are called "sum"/);
  });
});
