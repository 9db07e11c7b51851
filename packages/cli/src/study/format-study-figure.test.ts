import type { StudyFigure, StudyTable } from "@isthmus/study";
import { describe, expect, it } from "vitest";
import type { Terminal } from "../terminal/terminal.ts";
import { formatStudyFigure } from "./format-study.ts";

const terminal = { columns: 60, unicode: false, color: false } as Terminal;
const figure: StudyFigure = {
  title: "Barriers",
  caption: "",
  table: "barriers",
  mark: "line",
  x: "width",
  y: "barrier",
  series: "method",
  xScale: "log",
};

function tableOf(
  ...rows: readonly (readonly [width: number, barrier: number, method: string])[]
): StudyTable {
  return {
    name: "barriers",
    title: "Barriers",
    columns: [
      { key: "width", title: "Width" },
      { key: "barrier", title: "Barrier", unit: "nats" },
      { key: "method", title: "Method" },
    ],
    rows: rows.map(([width, barrier, method]) => ({ width, barrier, method })),
  };
}

describe("formatStudyFigure()", () => {
  it("formatStudyFigure() draws lines with marks, and says that an axis is logarithmic", () => {
    const drawn = formatStudyFigure(figure, tableOf([64, 1, "a"], [128, 2, "a"], [256, 3, "a"]), terminal);
    expect(drawn).toMatch(/^Barriers\n\nBarrier \(nats\)\n/);
    expect(drawn).toContain("Width, log scale");
    expect(drawn).toContain(".*. a");
    expect(drawn.split("Width")[0]?.match(/\*/g)).toHaveLength(3);
  });

  it("formatStudyFigure() draws values of one place as bars, one below the other", () => {
    const drawn = formatStudyFigure(figure, tableOf([64, 1, "as trained"], [64, 0.5, "aligned"]), terminal);
    expect(drawn.split("\n").slice(2)).toEqual([
      "Width  Method      Barrier (nats)",
      `64     as trained           1.000  ${"#".repeat(30)}`,
      `64     aligned             0.5000  ${"#".repeat(15)}`,
    ]);
  });

  it("formatStudyFigure() does not join several values at one place, and says so", () => {
    const drawn = formatStudyFigure(figure, tableOf([64, 1, "a"], [64, 3, "a"], [128, 2, "a"]), terminal);
    expect(drawn).toContain(" *  a (several values at a place)");
    expect(drawn).not.toMatch(/\|.*\./);
  });

  it("formatStudyFigure() draws nothing where there is no number", () => {
    expect(formatStudyFigure({ ...figure, yScale: "log" }, tableOf([64, 0, "a"]), terminal)).toBe("");
  });
});
