import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { renderBarrierChart } from "./render-barrier-chart.ts";
import { type ChartOptions, renderChart } from "./render-chart.ts";

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
const hill = { label: "hill", points: [0, 1, 2, 1, 0].map((y, x) => [x / 4, y] as const) };

describe("renderChart()", () => {
  it("renderChart() draws a hill in ASCII", () => {
    expect(renderChart([hill], { width: 34, height: 5, charset: "ascii", formatY: String })).toBe(
      [
        "2 |              .*.",
        "  |          ....   ....",
        "1 |      ..*.           ..*.",
        "  |  ....                   ....",
        "0 |*.                           .*",
        "  +-------------------------------",
        "   0                             1",
        "   .*. hill",
      ].join("\n"),
    );
  });

  it("renderChart() draws lines without gaps", () => {
    const cliff = {
      label: "cliff",
      points: [[0, 0] as const, [0.5, 0] as const, [0.501, 100] as const, [1, 100] as const],
    };
    const rows = renderChart([cliff], { width: 40, height: 10, charset: "ascii" }).split("\n").slice(0, 10);
    expect(rows.every((row) => /[.*]/.test(row))).toBe(true);
  });

  it("renderChart() never writes a line wider than it may, whatever it draws", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 });
    const series = fc.record({
      label: fc.string({ maxLength: 100 }).map((text) => text.replace(/[^\x20-\x7e]/g, "?")),
      points: fc
        .array(fc.tuple(value, value), { minLength: 1, maxLength: 30 })
        .map((points) => points.toSorted((a, b) => a[0] - b[0])),
    });
    const options: fc.Arbitrary<ChartOptions> = fc.record({
      width: fc.integer({ min: 30, max: 200 }),
      height: fc.integer({ min: 4, max: 40 }),
      charset: fc.constantFrom("braille" as const, "ascii" as const),
      color: fc.boolean(),
      xLabel: fc.constantFrom("", "a long label of the horizontal axis that does not fit"),
      yLabel: fc.constantFrom("", "loss"),
    });
    fc.assert(
      fc.property(fc.array(series, { minLength: 1, maxLength: 8 }), options, (lines, given) => {
        const text = renderChart(lines, given).replace(ESCAPES, "");
        for (const line of text.split("\n")) expect([...line].length).toBeLessThanOrEqual(given.width ?? 80);
        expect(text).not.toMatch(/NaN|undefined/);
      }),
    );
  });

  it("renderChart() writes escapes only when asked to", () => {
    expect(renderChart([hill], { color: false })).not.toContain("\u001b");
    expect(renderChart([hill], { color: true })).toContain("\u001b[33m");
  });

  it("renderChart() writes nothing beyond ASCII in ASCII", () => {
    expect(renderChart([hill, { ...hill, label: "other" }], { charset: "ascii" })).toMatch(
      /^[\x20-\x7e\n]*$/,
    );
  });

  it("renderChart() draws one point and a constant", () => {
    expect(renderChart([{ label: "one", points: [[3, 7]] }], { charset: "ascii" })).toContain("*");
    const flat = {
      label: "flat",
      points: [
        [0, 0],
        [1, 0],
      ] as const,
    };
    expect(renderChart([flat], { charset: "ascii" })).toMatch(/\|\*\.{20,}\*\n/);
  });

  it("renderChart() marks the points of a line where there is room, and none of a dense one", () => {
    const braille = renderChart([hill], { width: 60, height: 9 });
    expect(braille.match(/●/g)).toHaveLength(hill.points.length + 1); // and one in the legend
    const dense = { label: "dense", points: Array.from({ length: 40 }, (_, x) => [x, x % 7] as const) };
    expect(renderChart([dense], { width: 60, height: 9 })).not.toContain("●");
    expect(renderChart([dense], { width: 60, height: 9, charset: "ascii" })).toContain("*** dense");
  });

  it("renderChart() draws nothing between points that are not joined", () => {
    const rows = renderChart([{ ...hill, joined: false }], { width: 34, height: 5, charset: "ascii" }).split(
      "\n",
    );
    expect(
      rows
        .slice(0, 5)
        .join("")
        .match(/[.*]/g)
        ?.filter((mark) => mark === "*"),
    ).toHaveLength(5);
    expect(rows.slice(0, 5).every((row) => !/\|.*\./.test(row))).toBe(true);
    expect(rows.at(-1)).toMatch(/ {2}\* {2}hill$/);
  });

  it("renderChart() draws points of one place as marks in the middle, not as lines, and names the place once", () => {
    const series = [
      { label: "as trained", points: [[64, 1.4]] as const },
      { label: "aligned", points: [[64, 0.2]] as const },
    ];
    const text = renderChart(series, { width: 40, height: 6, charset: "ascii", xLabel: "Width" });
    const rows = text.split("\n");
    const places = rows.slice(0, 6).flatMap((row) => [...row.matchAll(/[*o]/g)].map(({ index }) => index));
    expect(places).toHaveLength(2);
    expect(new Set(places).size).toBe(1);
    expect(rows[7]?.trim()).toBe("Width: 64");
  });

  it("renderChart() refuses nothing to draw, values that are not finite and tiny charts", () => {
    expect(() => renderChart([])).toThrow("at least one point is needed");
    expect(() => renderChart([{ label: "x", points: [[0, Number.POSITIVE_INFINITY]] }])).toThrow(
      "got Infinity",
    );
    expect(() => renderChart([hill], { width: 10 })).toThrow(RangeError);
  });
});

describe("renderBarrierChart()", () => {
  it("renderBarrierChart() names the barrier of each curve", () => {
    const curves = [barrierCurve("as trained", 1.387), barrierCurve("aligned", 0.0074)];
    const loss = renderBarrierChart(curves, { width: 60, height: 8 });
    expect(loss).toContain("as trained: barrier 1.387");
    expect(loss).toContain("aligned: barrier 0.00740");
    expect(renderBarrierChart(curves, { measure: "error" })).toContain("as trained: barrier 41.61 points");
  });
});
