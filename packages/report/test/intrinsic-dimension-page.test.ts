import { describe, expect, it } from "vitest";
import { renderResultPage } from "../src/page/render-result-page.ts";
import { describeResult } from "../src/result/describe-result.ts";
import { intrinsicDimensionResult } from "./intrinsic-dimension-result.ts";
import { allOf, parsePage } from "./parse-page.ts";

describe("describeIntrinsicDimension()", () => {
  it("says the dimension, its interval, and the accuracies beside the line", async () => {
    const { summary, tiles, sections, notes } = await describeResult(intrinsicDimensionResult());
    expect(summary).toBe(
      "400 numbers, 500 times fewer than it has, in a random subspace, reach 90 % of the full accuracy, 87.21 %.",
    );
    expect(tiles[0]).toMatchObject({
      name: "d_90",
      value: "400",
      more: ["crossed at 391", "95 % interval 117 to 1,487, 2 seeds"],
    });
    const [means, trainings] = sections.flatMap(({ tables }) => tables);
    expect(means?.rows.map(({ cells }) => cells.at(-1))).toEqual(["no", "no", "yes", "no", "yes"]);
    expect(means?.rows.filter(({ strong }) => strong).map(({ cells }) => cells[0])).toEqual([400]);
    expect(trainings?.rows.map(({ cells }) => cells[0])).toEqual([
      ...["none", "none", "full", "full"],
      ...Array.from({ length: 10 }, () => "subspace"),
    ]);
    expect(notes?.join()).toMatch(/do not rise with every dimension: 450 lies on the other side/);
  });

  it("draws the rising numbers that the crossing is of, where accuracies fall", async () => {
    const result = intrinsicDimensionResult();
    const legendOf = async (read: typeof result) =>
      allOf(parsePage(await renderResultPage({ title: "", result: read })), ".full text").map(
        ({ textContent }) => textContent,
      );
    expect(await legendOf(result)).toContain("rising numbers nearest to them");
    const points = result.points.filter(({ dimension }) => dimension !== 450);
    expect(await legendOf({ ...result, points })).not.toContain("rising numbers nearest to them");
  });

  it("says that no dimension reaches the line", async () => {
    const { interval: _, ...rest } = intrinsicDimensionResult();
    const crossings = [
      { seed: 0, dimension: null },
      { seed: 1, dimension: 790 },
    ];
    const none = { ...rest, dimension: null, crossing: null, crossings, line: 0.95 };
    const { summary, tiles, notes } = await describeResult(none);
    expect(summary).toBe(
      "No measured dimension, up to 800 of 199,210, reaches 90 % of the full accuracy, 95.00 %.",
    );
    expect(tiles[0]).toMatchObject({ value: "> 800", more: [] });
    expect(notes?.join()).toMatch(/Of seed 0, no measured dimension reaches the line/);
  });

  it("says before anything else that nothing was learned, or that the line is reached without training", async () => {
    const result = intrinsicDimensionResult();
    const untrained = { start: [{ seed: 0, accuracy: 0.9, loss: 0.3 }], guess: 0.2, startReaches: true };
    const none = await describeResult({
      ...result,
      untrained: { ...untrained, learned: false },
    });
    expect(none.summary).toBe(
      "Full training learned hardly anything: it reaches 96.90 %, the untrained network 90.00 %, and the most frequent class 20.00 %. d_90 means nothing; train longer, or on more examples.",
    );
    expect(none.notes?.[1]).toBe(
      "The untrained network, in 0 dimensions, already reaches the line of 87.21 %: it has 90.00 %.",
    );
    const { untrained: _, ...earlier } = result;
    expect((await describeResult(earlier)).summary).toMatch(/^400 numbers/);
  });

  it("refuses a result without trainings in subspaces", async () => {
    await expect(describeResult({ ...intrinsicDimensionResult(), points: [] })).rejects.toThrow(
      /needs at least one training in a subspace/,
    );
  });
});
