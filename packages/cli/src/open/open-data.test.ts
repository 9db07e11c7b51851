import type { StatisticsChoice } from "@isthmus/statistics";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { openData, openUnscoredFor } from "./open-data.ts";

describe("openData()", () => {
  it("openData() opens examples to evaluate on, and others to recalibrate on if they are wanted", async () => {
    const { data, statisticsData } = await openData({ data: "mnist:test@20" }, {});
    expect([data.name, data.size, statisticsData]).toEqual(["mnist:test@20", 20, undefined]);
    const other = await openData({ data: "mnist:test@20", recalibrateExamples: 30 }, {});
    expect(other.statisticsData?.name).toBe("mnist:train@30");
    const fitted = await openData({ data: "mnist:test@20", recalibrateExamples: 30, temperature: true }, {});
    expect(fitted.statisticsData?.name).toBe("mnist:test@30");
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

  it("openUnscoredFor() opens training examples for networks with norms that are not kept", async () => {
    const open = async (network: string, statistics: StatisticsChoice) => {
      const { graph } = parseNetwork(network, { exampleShape: [1, 28, 28], classes: 10 });
      return (await openUnscoredFor(graph, { data: "mnist:test@20" }, { context: {}, statistics }))?.name;
    };
    expect(await open("resnet8:w4", "auto")).toBe("mnist:train@2500");
    expect(await open("resnet8:w4", "keep")).toBeUndefined();
    expect(await open("mlp:8", "auto")).toBeUndefined();
    expect(await open("mlp:8", "repair")).toBe("mnist:train@2500");
  });

  it("openData() scales as told, by mean and deviation together", async () => {
    const { data } = await openData({ data: "mnist:test@2", mean: 0, std: 1 }, {});
    expect(data.scaling).toEqual({ mean: 0, std: 1 });
    await expect(openData({ data: "mnist:test@2", std: 1 }, {})).rejects.toThrow("got only --std");
  });
});
