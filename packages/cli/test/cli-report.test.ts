import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DrawableResult } from "@isthmus/report";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, runJson } from "../../../test/helpers/run-cli.ts";
import { comparisonResult } from "../../recipe/test/comparison-result.ts";
import { barrierCurve } from "../../report/test/barrier-curve.ts";
import { curvatureHistory, curvatureResult } from "../../report/test/curvature-result.ts";
import { intrinsicDimensionResult } from "../../report/test/intrinsic-dimension-result.ts";
import { landscapeResult } from "../../report/test/landscape-result.ts";
import { mechanismsResult } from "../../report/test/mechanisms-result.ts";
import { pruneResult } from "../../report/test/prune-result.ts";
import {
  curveResult,
  layersResult,
  planeResult,
  starResult,
  studyResult,
} from "../../report/test/results.ts";
import { similarityResult } from "../../report/test/similarity-result.ts";
import { takenApart } from "../../report/test/taken-apart.ts";

const { result: tempered, decomposition } = takenApart(barrierCurve("as trained", 1.387, true));
const RESULTS: readonly DrawableResult[] = [
  { ...tempered, decomposition },
  barrierCurve("as trained", 1.387).result,
  layersResult(),
  planeResult(),
  curveResult(),
  starResult(),
  studyResult(),
  comparisonResult(),
  curvatureResult(),
  intrinsicDimensionResult(),
  pruneResult(),
  curvatureHistory(),
  similarityResult(),
  mechanismsResult(),
  landscapeResult(),
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-cli-report-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => runCli(["report", ...args], { cwd: folder, env: { COLUMNS: "80" } });
const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");

/** Takes out the elements that keep words of a command on one line. */
const withoutSpans = (page: string): string => page.replaceAll(/<\/?span>/g, "");

describe("isthmus report", () => {
  it("isthmus report draws barriers of several pairs in one figure, under names of files or of the user", async () => {
    const { result } = barrierCurve("", 1.387);
    write("seeds-01.json", { ...result, b: "s1.pt" });
    write("seeds-02.json", { ...result, b: "s2.pt", asGiven: result });
    const files = ["seeds-01.json", "seeds-02.json"];
    const { code, stdout, stderr } = await run(...files, "-o", "page.html", "--svg", "svg");
    expect([stderr, code]).toEqual(["", 0]);
    for (const label of ["seeds-01", "seeds-02, as given", "seeds-02, aligned"]) {
      expect(stdout).toContain(`${label}: barrier 1.387`);
      expect(read("svg", "loss.svg")).toContain(`${label}, barrier 1.387`);
    }
    const named = await run(...files, "--label", "one", "--label", "two");
    expect(named.stdout).toContain("two, aligned: barrier 1.387");
    const few = await run(...files, "--label", "one");
    expect([few.code, few.stderr]).toEqual([
      2,
      "isthmus report: Cannot name barriers as every file needs a --label, or none: got 1 for 2 files\n",
    ]);
    write("layers.json", layersResult());
    const other = await run("seeds-01.json", "layers.json");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('it is of kind "layers"')]);
  });

  it.each(RESULTS)(
    "isthmus report draws a $kind in the terminal and writes all its parts",
    async (result) => {
      write("result.json", { ...result, outputs: ["something"] });
      const args = [
        "result.json",
        "-o",
        "page.html",
        "--svg",
        "svg",
        "--pdf",
        "pdf",
        "--csv",
        "csv",
        "--command",
        "isthmus made it",
      ];
      const { code, stdout, stderr } = await run(...args);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      // Sentences are broken by the screen; charts and tables must fit.
      for (const line of stdout.split("\nWrote")[0]?.split("\n") ?? [])
        if (!line.endsWith(".")) expect([...line].length).toBeLessThan(161);
      expect(stdout.split("\n").length).toBeGreaterThan(12);
      expect(withoutSpans(read("page.html"))).toContain(
        "<code>isthmus made it\nisthmus report result.json -o page.html",
      );
      const figures = readdirSync(join(folder, "svg"));
      expect(figures.length).toBeGreaterThan(0);
      for (const name of figures) expect(read("svg", name)).toMatch(/^<svg /);
      const pdfs = readdirSync(join(folder, "pdf"));
      expect(pdfs).toEqual(figures.map((name) => name.replace(/svg$/, "pdf")));
      for (const name of pdfs) expect(read("pdf", name)).toMatch(/^%PDF-1\.4\n[\s\S]*%%EOF\n$/);
      const tables = readdirSync(join(folder, "csv"));
      expect(tables.length).toBeGreaterThan(1);
      for (const name of tables) expect(read("csv", name)).toMatch(/^[^\r\n]*,[^\r\n]*\r\n/);
      const wrote = stdout.split("\nWrote ")[1]?.trim().split(", ") ?? [];
      expect(wrote.toSorted()).toEqual(
        [
          "page.html",
          ...figures.map((name) => join("svg", name)),
          ...pdfs.map((name) => join("pdf", name)),
          ...tables.map((name) => join("csv", name)),
        ].sort(),
      );
    },
  );

  it("isthmus report gives the same page again, and says in JSON what it wrote", async () => {
    write("plane.json", planeResult());
    const once = await runJson<object>(["report", "plane.json", "-o", "page.html"], { cwd: folder });
    const page = read("page.html");
    await runJson<object>(["report", "plane.json", "-o", "page.html"], { cwd: folder });
    expect(once).toEqual({ kind: "report", of: "plane", results: ["plane.json"], outputs: ["page.html"] });
    expect(read("page.html") === page).toBe(true);
    expect(page).toContain("<title>The plane through A, B, bend</title>");
  });

  it("isthmus report shows the command that made a result, as the result says or as it is told", async () => {
    const provenance = { command: "isthmus plane a b c --data mnist:test", version: "1.2.3" };
    write("plane.json", { ...planeResult(), provenance });
    const commandsOf = async (...args: string[]) => {
      await run("plane.json", "-o", "page.html", ...args);
      return /<code>(isthmus[^<]*)<\/code>/.exec(withoutSpans(read("page.html")))?.[1]?.split("\n");
    };
    expect(await commandsOf()).toEqual([provenance.command, "isthmus report plane.json -o page.html"]);
    expect(await commandsOf("--command", "isthmus other")).toEqual([
      "isthmus other",
      expect.stringMatching(/^isthmus report plane\.json/),
    ]);
  });

  it("isthmus report draws figures in the colours of a theme", async () => {
    write("plane.json", planeResult());
    for (const [theme, background] of [
      ["light", "#ffffff"],
      ["dark", "#171b1f"],
    ] as const) {
      const { code } = await run("plane.json", "--svg", theme, "--theme", theme);
      expect(code).toBe(0);
      expect(read(theme, "plane-loss.svg")).toMatch(
        new RegExp(`^<svg [^>]*><rect [^>]*fill="${background}"`),
      );
    }
    const { code, stderr } = await run("plane.json", "--svg", "svg", "--theme", "auto");
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are light, dark");
  });

  it("isthmus report refuses what is no result, and writes nothing", async () => {
    write("bad.json", { kind: "checkpoint" });
    const { code, stdout, stderr } = await run("bad.json", "-o", "page.html", "--svg", "svg", "--csv", "csv");
    expect(stderr).toContain(
      'isthmus report: Cannot draw "bad.json" as the "kind" of a result must be one of',
    );
    expect(code).toBe(2);
    expect(stdout).toBe("");
    for (const name of ["page.html", "svg", "csv"]) expect(existsSync(join(folder, name))).toBe(false);
  });

  it("isthmus report refuses a file in place of a folder, before it writes anything", async () => {
    write("plane.json", planeResult());
    write("taken", "");
    const { code, stderr } = await run("plane.json", "-o", "page.html", "--svg", "svg", "--csv", "taken");
    expect(stderr).toContain('Cannot write into "taken" as it must be a folder: it is a file');
    expect(code).toBe(2);
    for (const name of ["page.html", "svg"]) expect(existsSync(join(folder, name))).toBe(false);
  });
});
