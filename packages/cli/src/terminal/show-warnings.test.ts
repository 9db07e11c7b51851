import { afterEach, expect, it, vi } from "vitest";
import { showWarnings } from "./show-warnings.ts";

const others = vi.fn();
afterEach(() => process.removeListener("warning", others));

it("showWarnings() makes notes of the warnings of Isthmus, and leaves others to whoever listened before", () => {
  process.on("warning", others);
  const notes: string[] = [];
  const end = showWarnings((text) => notes.push(text));
  const [ours, other] = [new Error("Graphs run in WebAssembly."), new Error("other")];
  ours.name = "IsthmusWarning";
  process.emit("warning", ours);
  process.emit("warning", other);
  end();
  process.emit("warning", ours);
  expect(notes).toEqual(["Graphs run in WebAssembly."]);
  expect(others.mock.calls).toEqual([[other], [ours]]);
});
