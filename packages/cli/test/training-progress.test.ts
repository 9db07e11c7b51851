import { resolveFields } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type TrainingSubject, trainingOf } from "@isthmus/findings";
import { listMeasurements } from "@isthmus/measurements";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { stripes } from "../../../test/helpers/stripes.ts";
import { createControl } from "../src/measurement/create-control.ts";
import type { Context } from "../src/verb.ts";

const TRAINED = listMeasurements().filter(({ subject }) => subject === "training");
/** Little enough for a test. */
const OPTIONS: Readonly<Record<string, object>> = {
  pareto: { epochs: 2, batch: 20, points: 2, layout: "beside" },
  "intrinsic-dimension": { epochs: 2, batch: 20, seeds: [0], first: 1, most: 1 },
};

describe("progress of measurements that train", () => {
  it.each(TRAINED)("$kind shows the loss, the speed and the time left, as train does", async (entry) => {
    const measurement = await entry.load();
    const options = resolveFields(entry.verb, measurement.options, { ...OPTIONS[entry.kind] });
    const examples = { training: stripes(60, 0), data: stripes(30, 1) };
    const changed = trainingOf(measurement).change(examples, options);
    const { training, outputs = training.classes } = changed;
    const shape = { exampleShape: training.exampleShape, classes: outputs };
    const { graph, spec, initialize } = parseNetwork("mlp:6", shape);
    const subject: TrainingSubject = {
      ...{ name: spec, written: { network: spec, data: "stripes" }, graph, initialize },
      ...{ engine: createOnnxRuntimeEngine(), training, data: changed.data ?? training },
      initializeSeveral: (first, count) => Array.from({ length: count }, (_, i) => initialize(first + i)),
    };
    const details: string[] = [];
    const context: Pick<Context, "progress" | "signal"> = {
      progress: (_, __, detail) => details.push(detail?.() ?? ""),
      signal: new AbortController().signal,
    };
    const files = { journal: undefined, fileOf: undefined, graphFile: undefined, restore: undefined };
    const running = { entry, measurement, measurePairs: undefined, ...files };
    await measurement.run(subject, options, createControl(running, context as Context));
    expect(details).toContainEqual(expect.stringMatching(/^loss [\d.e-]+, [\d,.]+ examples\/s, .+ left$/));
  });
});
