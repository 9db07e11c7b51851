import { describe, expect, it } from "vitest";
import { openData } from "./open-data.ts";

describe("openData()", () => {
  it("openData() opens examples to evaluate on, and others to recalibrate on if they are wanted", async () => {
    const { data, statisticsData } = await openData({ data: "mnist:test@20" }, {});
    expect([data.name, data.size, statisticsData]).toEqual(["mnist:test@20", 20, undefined]);
    const other = await openData({ data: "mnist:test@20", recalibrateExamples: 30 }, {});
    expect(other.statisticsData?.name).toBe("mnist:test@30");
    const train = await openData(
      {
        data: "mnist:test@20",
        recalibrateData: "mnist:train",
        recalibrateExamples: 5,
      },
      {},
    );
    expect(train.statisticsData?.name).toBe("mnist:train@5");
  });

  it("openData() scales as told, by mean and deviation together", async () => {
    const { data } = await openData({ data: "mnist:test@2", mean: 0, std: 1 }, {});
    expect(data.scaling).toEqual({ mean: 0, std: 1 });
    await expect(openData({ data: "mnist:test@2", std: 1 }, {})).rejects.toThrow("got only --std");
  });
});
