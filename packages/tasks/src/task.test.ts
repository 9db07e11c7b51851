import { describe, expect, it } from "vitest";
import { createTask, dependenciesOf, type TaskInputs } from "./task.ts";

const kind = { name: "sum", version: 2 };
const inputs: TaskInputs = {
  graph: [{ path: "/x/y.onnx", digest: "ab" }],
  parts: [{ task: "0123", file: "w.bin" }],
};
const params = { b: 1, a: { d: [2, "é"], c: undefined } };

describe("createTask()", () => {
  it("createTask() gives the key that version 0.0.0 gave: what was begun then goes on", () => {
    const task = createTask(kind, "onnxruntime", { params, inputs, label: "L" });
    expect(task).toEqual({ key: "fefc8b1ecd06b1d6c8698e57", kind: "sum", label: "L", params, inputs });
  });

  it("createTask() counts neither the label, nor paths, nor the order of keys", () => {
    const { key } = createTask(kind, "onnxruntime", { params, inputs, label: "L" });
    const other = createTask(kind, "onnxruntime", {
      params: { a: { d: [2, "é"] }, b: 1 },
      inputs: {
        parts: [{ file: "w.bin", task: "0123" }],
        graph: [{ path: "elsewhere.onnx", digest: "ab" }],
      },
      label: "other",
    });
    expect(other.key).toBe(key);
  });

  it.each([
    ["kind", { kind: { ...kind, name: "product" } }],
    ["version", { kind: { ...kind, version: 3 } }],
    ["engine", { engine: "tfjs" }],
    ["parameters", { params: { ...params, b: 2 } }],
    ["files", { inputs: { ...inputs, graph: [{ path: "/x/y.onnx", digest: "cd" }] } }],
    ["names of files", { inputs: { ...inputs, graph: [{ path: "/x/y.onnx", digest: "ab", name: "y" }] } }],
  ])("createTask() gives another key for another %s", (_, change) => {
    const keyOf = (parts: { kind: typeof kind; engine: string; params: object; inputs: TaskInputs }) =>
      createTask(parts.kind, parts.engine, { params: parts.params, inputs: parts.inputs, label: "L" }).key;
    const same = { kind, engine: "onnxruntime", params, inputs };
    expect(keyOf({ ...same, ...change })).not.toBe(keyOf(same));
  });
});

it("dependenciesOf() lists the tasks whose files a task reads", () => {
  expect(dependenciesOf({ inputs })).toEqual(["0123"]);
});
