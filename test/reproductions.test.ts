import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compareNumbers, formatReproductions, reproductions, wordsOf } from "../tools/reproductions.mjs";
import { runCli } from "./helpers/run-cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const quick = reproductions.filter(({ isQuick }) => isQuick);

describe("docs/reproductions.json", () => {
  it("is the table of docs/reproductions.md: after a change run node tools/reproduce.mjs --write", () => {
    expect(read("docs/reproductions.md")).toContain(formatReproductions());
  });

  it("names each number once, on pages that still state it", () => {
    const names = reproductions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { pages } of reproductions)
      for (const [page, words] of Object.entries(pages))
        for (const shown of words) expect(read(page), page).toContain(shown);
  });

  it.each(quick)("$name: $claim", async (reproduction) => {
    const { code, stdout, stderr } = await runCli(wordsOf(reproduction), { cwd: root });
    expect(code, stderr).toBe(0);
    const compared = compareNumbers(reproduction, JSON.parse(stdout));
    expect(compared.length).toBeGreaterThan(0);
    for (const number of compared) expect(number).toMatchObject({ holds: true });
  });

  it("has numbers that are compared within 8 % of their size, or 0.0015", () => {
    const compared = reproductions.flatMap(({ numbers }) => numbers);
    expect(compared.length).toBeGreaterThan(10);
    for (const { path, value, within } of compared)
      expect(within, path).toBeLessThanOrEqual(Math.max(0.08 * Math.abs(value), 0.0015));
  });
});
