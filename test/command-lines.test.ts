import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MAKING, MEASURING } from "./golden/command-lines/command-lines.ts";
import { resultOf, runLine } from "./golden/command-lines/run-line.ts";
import { VERSION } from "./golden/command-lines/version.ts";
import { findDifference } from "./helpers/find-difference.ts";
import { runCli } from "./helpers/run-cli.ts";

const readGolden = (name: string) =>
  readFileSync(new URL(`./golden/command-lines/results/${name}`, import.meta.url), "utf8");

// Files in golden/command-lines/results were written by golden/command-lines/make-results.ts, with version 0.1.0.
describe("isthmus", () => {
  it.each([...MEASURING, ...MAKING].map((line) => [line.name, line] as const))(
    "isthmus gives the result and the text of %s that it gave",
    async (name, line) => {
      const run = (words: readonly string[], cwd: string) => runCli(words, { cwd });
      // One after the other: another process would load the same modules again.
      const printed = await runLine(line, run, { json: true, version: VERSION });
      const shown = await runLine(line, run, { json: false, version: VERSION });
      expect(printed.code).toBe(0);
      const earlier: unknown = JSON.parse(readGolden(`${name}.json.golden`));
      const result = resultOf(line, printed);
      expect(findDifference(earlier, result)).toBeUndefined();
      expect(shown.stdout).toBe(readGolden(`${name}.txt`));
    },
  );

  it("there is a command line for every kind of result that can be drawn", () => {
    const kinds = MEASURING.map(({ name }) => {
      const result: { readonly kind: string } = JSON.parse(readGolden(`${name}.json.golden`));
      return result.kind;
    });
    expect([...new Set(kinds)].sort()).toMatchInlineSnapshot(`
      [
        "attack",
        "barrier",
        "comparison",
        "curvature",
        "curvature-history",
        "curve",
        "dropout-path",
        "dropout-stability",
        "ensemble",
        "intrinsic-dimension",
        "landscape",
        "layers",
        "map",
        "mechanisms",
        "pareto",
        "plane",
        "prune",
        "similarity",
        "simulation",
        "star",
        "study",
        "walked-path",
      ]
    `);
  });
});
