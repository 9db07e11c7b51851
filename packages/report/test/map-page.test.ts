import { MAP } from "@isthmus/barrier";
import { UsageError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { mapResult } from "../../barrier/test/map-result.ts";
import { renderFigures } from "../src/render-figures.ts";
import { renderTables } from "../src/render-tables.ts";

describe("describeMap()", () => {
  it("describeMap() says what alignment does to barriers and to the mean", () => {
    const { summary, tiles } = MAP.describe(mapResult());
    expect(summary).toMatch(/^Between 5 networks the mean loss barrier is 1\.\d+ nats as trained, and 0\.00/);
    expect(summary).toContain("a loss of 2.300 as trained, of 0.1000 once aligned");
    expect(tiles.map(({ name }) => name)).toEqual([
      "Pairs, as trained",
      "Pairs, aligned",
      "Mean, as trained",
      "Mean, aligned",
    ]);
  });

  it("describeMap() draws two maps and two planes, and writes every pair as CSV", async () => {
    const figures = await renderFigures(mapResult());
    expect(figures.map(({ name }) => name)).toEqual([
      "walk",
      "barriers-before",
      "barriers-after",
      "places-before",
      "places-after",
    ]);
    const [, , aligned, , plane] = figures;
    // One bracket a join, and two networks on one place with one label.
    expect(aligned?.svg.match(/ d="M[\d.]+,[\d.]+V[\d.]+H[\d.]+V[\d.]+"/g)).toHaveLength(4);
    expect(plane?.svg).toContain(">s0, copy<");
    const pairs = (await renderTables(mapResult()))
      .find(({ name }) => name === "pairs")
      ?.csv.trim()
      .split("\r\n");
    expect(pairs).toHaveLength(11);
    expect(pairs?.[1]).toBe("s0,copy,1.36,0.34,43.7,0,0,0");
  });

  it("describeMap() refuses a result whose parts are not of the same networks", () => {
    const result = mapResult();
    const { after } = result;
    const joins = after.tree.joins.map((join) => ({ ...join, a: 0 }));
    for (const [changed, message] of [
      [{ ...result, networks: result.networks.slice(0, 1) }, /at least two networks: got 1/],
      [{ ...result, after: { ...after, pairs: after.pairs.slice(1) } }, /pairs must be all of 5 networks/],
      [{ ...result, after: { ...after, tree: { ...after.tree, joins } } }, /must be joined to a tree/],
      [
        { ...result, after: { ...after, tree: { ...after.tree, order: [0, 0, 1, 2, 3] } } },
        /each of 5 networks once/,
      ],
      [{ ...result, after: { ...after, places: { ...after.places, networks: [] } } }, /must have a place/],
    ] as const) {
      expect(() => MAP.describe(changed)).toThrow(UsageError);
      expect(() => MAP.describe(changed)).toThrow(message);
    }
  });
});
