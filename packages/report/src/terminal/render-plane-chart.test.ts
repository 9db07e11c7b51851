import type { PlaneResult } from "@isthmus/barrier";
import { describe, expect, it } from "vitest";
import { renderPlaneChart } from "./render-plane-chart.ts";

/** A valley along the lower edge, twice as wide as high. */
function plane(more: Partial<PlaneResult> = {}): PlaneResult {
  const xs = [0, 1, 2, 3, 4];
  const ys = [0, 1, 2];
  const loss = ys.map((y) => xs.map((x) => 0.1 + 3 * y + 0.01 * x));
  const at = { distance: 0, error: 0.1 };
  return {
    kind: "plane",
    xs,
    ys,
    loss,
    error: loss.map((row) => row.map((value) => value / 10)),
    models: [
      { ...at, label: "first", source: "a", x: 0, y: 0, loss: 0.1 },
      { ...at, label: "second", source: "b", x: 2, y: 2, loss: 6 },
      { ...at, label: "third", source: "c", x: 4, y: 0, loss: 0.14 },
    ],
    paths: [],
    statistics: "keep",
    examples: 1,
    data: "data",
    engine: "engine",
    ...more,
  };
}

const mapOf = (text: string) => text.split("\n\n")[0]!.split("\n");

describe("renderPlaneChart()", () => {
  it("renderPlaneChart() shades the grid with one scale for both axes, networks as letters", () => {
    const text = renderPlaneChart(plane(), { width: 40, height: 10, charset: "ascii" });
    const map = mapOf(text);
    expect(map).toHaveLength(10);
    expect(map[0]).toHaveLength(40);
    expect(map[0]).toMatch(/^[+#]{20}B[+#]{19}$/);
    expect(map[9]).toMatch(/^A[ .]{38}C$/);
    expect(text.split("\n\n")[1]).toBe(
      [
        "loss:",
        "  [ ] 0.1000 to 0.1300",
        "  [.] 0.1300 to 3.110",
        "  [:] 3.110 to 3.140",
        "  [+] 3.140 to 6.120",
        "  [#] 6.120 to 6.140",
        "  A   first: 0.1000",
        "  B   second: 6.000",
        "  C   third: 0.1400",
      ].join("\n"),
    );
  });

  it("renderPlaneChart() does not let a plane become a strip", () => {
    const flat = plane({ ys: [0, 0.01, 0.02] });
    expect(mapOf(renderPlaneChart(flat, { width: 40, height: 10 }))).toHaveLength(5);
    const steep = plane({ ys: [0, 1000, 2000] });
    expect(mapOf(renderPlaneChart(steep, { width: 40, height: 10, charset: "ascii" }))[0]).toHaveLength(20);
  });

  it("renderPlaneChart() draws paths, and what has no value", () => {
    const { loss } = plane();
    const holes = loss.map((row, y) => row.map((value) => (y === 1 ? Number.NaN : value)));
    const text = renderPlaneChart(
      plane({
        loss: holes,
        paths: [
          {
            label: "bezier",
            points: [
              [0, 0],
              [1, 0.5],
              [9, 9],
            ],
          },
        ],
      }),
      { width: 40, height: 10, charset: "braille" },
    );
    expect(mapOf(text)[5]).toBe("?".repeat(40));
    expect(mapOf(text)[7]?.[10]).toBe("•");
    expect(text).toContain("  [?] no finite value\n  •   bezier\n");
  });

  it("renderPlaneChart() shows errors in percent", () => {
    expect(renderPlaneChart(plane(), { measure: "error" })).toContain("  A   first: 10.00 %");
  });

  it("renderPlaneChart() keeps to its width, lines end without spaces", () => {
    const models = plane().models.map((model) => ({ ...model, label: "long ".repeat(30) }));
    const lines = renderPlaneChart(plane({ models }), { width: 50 }).split("\n");
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(50);
      expect(line).toBe(line.trimEnd());
    }
  });

  it("renderPlaneChart() refuses what cannot be drawn", () => {
    expect(() => renderPlaneChart(plane(), { width: 29 })).toThrow(
      /at least 30 columns and 4 rows: got 29 and 24/,
    );
    expect(() => renderPlaneChart(plane(), { height: 3 })).toThrow(RangeError);
    const nothing = plane().loss.map((row) => row.map(() => Number.NaN));
    expect(() => renderPlaneChart(plane({ loss: nothing }))).toThrow(
      /at least one place must have a finite value/,
    );
  });
});
