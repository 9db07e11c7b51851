import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../../test/helpers/run-cli.ts";
import { listVerbs } from "../src/verbs.ts";
import { completeInBash, completeInFish, completeInZsh } from "./complete-in-shell.ts";

const FILES = ["a.safetensors", "b.pt", "m.onnx", "notes.txt", "mix.yml", "table.csv", "page.html"];

const folder = mkdtempSync(join(tmpdir(), "isthmus-completion-"));
const cwd = join(folder, "work");
beforeAll(() => {
  mkdirSync(join(cwd, "nets"), { recursive: true });
  for (const name of FILES) writeFileSync(join(cwd, name), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Checks whether a program is there; a shell that is missing is not tested, and the output says so. */
function isThere(shell: string): boolean {
  try {
    if (process.platform === "win32") throw new Error("its bash takes other paths");
    execFileSync(shell, ["-c", "true"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn(`SKIPPED: completion in ${shell}, as there is no ${shell} here`);
    return false;
  }
}

const optionsOf = async (verb: string): Promise<string[]> => {
  const { stdout } = await runCli([verb, "--help-all"]);
  const [before = ""] = stdout.split("\nExamples:");
  return [...before.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = ""]) => option);
};

/** A line for each place at which something else is offered, with what it must offer. */
const LINES: readonly (readonly [line: string, candidates: readonly string[]])[] = [
  ["isthmus bar", ["barrier"]],
  ["isthmus queue ", ["cancel", "drain", "retry", "status", "watch"]],
  ["isthmus --use mine.mjs comp", ["compare", "completion"]],
  ["isthmus completion ", ["bash", "fish", "zsh"]],
  ["isthmus barrier a.safetensors --match-u", ["--match-units"]],
  ["isthmus barrier --statistics rep", ["repair", "repair-closed-form"]],
  ["isthmus align --statistics ", ["a.safetensors", "b.pt", "m.onnx", "nets/"]],
  ["isthmus barrier a.safetensors --graph ", ["m.onnx", "nets/"]],
  ["isthmus merge ", ["a.safetensors", "b.pt", "m.onnx", "mix.yml", "nets/"]],
  ["isthmus align a.safetensors b.pt -o n", ["nets/", "notes.txt"]],
  ["isthmus train --data mni", ["mnist", "mnist:"]],
  ["isthmus train --net lla", ["llama"]],
  ["isthmus compare --method dare", ["dare_linear", "dare_ties"]],
  ["isthmus study star", ["star-table"]],
  ["isthmus federate simulate pri", ["private"]],
];

const SHELLS = [
  ["bash", completeInBash, { after: "table.csv", choice: "spherical" }],
  ["zsh", completeInZsh, { after: "table.csv", choice: "spherical" }],
  ["fish", completeInFish, { after: "csv:table.csv", choice: "--path=spherical" }],
] as const;

describe.each(SHELLS.filter(([shell]) => isThere(shell)))(
  "isthmus completion %s",
  (shell, complete, joined) => {
    const script = join(folder, `isthmus.${shell}`);
    beforeAll(async () => {
      const { code, stdout } = await runCli(["completion", shell]);
      expect(code).toBe(0);
      writeFileSync(script, stdout);
    });

    it("offers verbs, options, choices, names and files by their endings", () => {
      const found = complete(
        LINES.map(([line]) => line),
        { cwd, script },
      );
      const slashed = (name: string) => (name === "nets" ? "nets/" : name);
      expect(LINES.map(([line], i) => [line, found[i]?.map(slashed)])).toEqual(LINES);
    });

    it("offers every verb, and every option of a verb, as its help has them", async () => {
      const verbs = ["barrier", "train"];
      const lines = ["isthmus ", ...verbs.map((verb) => `isthmus ${verb} --`)];
      const [names = [], ...options] = complete(lines, { cwd, script });
      expect(names.filter((name) => !name.startsWith("-"))).toEqual(Object.keys(listVerbs()).sort());
      for (const [i, verb] of verbs.entries())
        expect([...new Set(options[i]?.map((option) => option.replace(/=$/, "")))]).toEqual(
          (await optionsOf(verb)).sort(),
        );
    });

    it("goes on behind the start of a value and behind an equals sign", () => {
      const lines = ["isthmus train --data csv:ta", "isthmus merge --path=sph"];
      expect(complete(lines, { cwd, script })).toEqual([[joined.after], [joined.choice]]);
    });
  },
);
