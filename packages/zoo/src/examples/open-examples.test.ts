import type { StatisticsChoice } from "@isthmus/statistics";
import { describe, expect, it } from "vitest";
import { parseNetwork } from "../short-string/parse-network.ts";
import { openMeasuredExamples, openUnscoredExamples } from "./open-examples.ts";

describe("openMeasuredExamples()", () => {
  it("openMeasuredExamples() opens examples to evaluate on, and others to recalibrate on if they are wanted", async () => {
    const { data, statisticsData } = await openMeasuredExamples({ data: "mnist:test@20" }, {});
    expect([data.name, data.size, statisticsData]).toEqual(["mnist:test@20", 20, undefined]);
    const other = await openMeasuredExamples({ data: "mnist:test@20", recalibrateExamples: 30 }, {});
    expect(other.statisticsData?.name).toBe("mnist:train@30");
    const fitted = await openMeasuredExamples(
      { data: "mnist:test@20", recalibrateExamples: 30, temperature: true },
      {},
    );
    expect(fitted.statisticsData?.name).toBe("mnist:test@30");
    const train = await openMeasuredExamples(
      {
        data: "mnist:test@20",
        recalibrateData: "mnist:train",
        recalibrateExamples: 5,
      },
      {},
    );
    expect(train.statisticsData?.name).toBe("mnist:train@5");
  });

  it("openUnscoredExamples() opens training examples for networks with norms that are not kept", async () => {
    const open = async (network: string, statistics: StatisticsChoice) => {
      const { graph } = parseNetwork(network, { exampleShape: [1, 28, 28], classes: 10 });
      return (await openUnscoredExamples(graph, { data: "mnist:test@20" }, { context: {}, statistics }))
        ?.name;
    };
    expect(await open("resnet8:w4", "auto")).toBe("mnist:train@2500");
    expect(await open("resnet8:w4", "keep")).toBeUndefined();
    expect(await open("mlp:8", "auto")).toBeUndefined();
    expect(await open("mlp:8", "repair")).toBe("mnist:train@2500");
  });
});
