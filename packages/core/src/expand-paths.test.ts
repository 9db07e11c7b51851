import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { expandPaths, noteTwice } from "./expand-paths.ts";

test("expandPaths() lists the files that wildcards match, in the order of the numbers in their names", async () => {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-paths-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["s10.npz", "s9.npz", "t1.npz"]) writeFileSync(join(folder, name), "");
  const named = [join(folder, "s*.npz"), "as-given.npz"];
  expect(await expandPaths(named)).toEqual([join(folder, "s9.npz"), join(folder, "s10.npz"), "as-given.npz"]);
  await expect(expandPaths([join(folder, "u?.npz")])).rejects.toThrow("it must match at least one file");
});

test("noteTwice() notes a file that two names lead to", () => {
  const notes: string[] = [];
  noteTwice(["a.npz", "b.npz"], (text) => notes.push(text));
  expect(notes).toEqual([]);
  noteTwice(["a.npz", "./a.npz"], (text) => notes.push(text));
  expect(notes).toEqual(['"./a.npz" is named twice: a network combined with itself is the same network.']);
});
