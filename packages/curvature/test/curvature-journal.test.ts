import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MismatchError } from "@isthmus/core";
import {
  type CurvatureProgress,
  type CurvatureResult,
  type MeasureCurvatureOptions,
  measureCurvature,
} from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const graph = smallMlp();
const network = randomNetwork(graph, 1);
const data = randomExamples([6], { size: 12, classes: 4 });
const options: MeasureCurvatureOptions = {
  ...{ count: 1, steps: 20, traceProducts: 6, runs: 1, densitySteps: 6, points: 20, by: "layer" },
  sharpness: { steps: 2, samples: 2 },
  ...{ criticalSharpness: {}, canonical: true },
  settling: { sizes: [4], samples: 2, steps: 4, traceProducts: 6 },
};
const measure = (more: MeasureCurvatureOptions = {}) =>
  measureCurvature({ graph, engine: createOnnxRuntimeEngine() }, network, data, { ...options, ...more });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-curvature-journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("measureCurvature() tells of loss and gradient, and of every part when it is finished, with what was measured before", async () => {
  const told: CurvatureResult[] = [];
  const result = await measure({ canonical: false, onPart: (soFar) => told.push(soFar) });
  expect(
    told.map(
      (soFar) =>
        ["eigenvalues", "trace", "density", "sharpness", "settling"].filter((name) => name in soFar).length,
    ),
  ).toEqual([0, 1, 2, 3, 4, 4, 5]);
  expect(told[0]).toMatchObject({ loss: result.loss, gradientNorm: result.gradientNorm });
  const { layers: _, ...whole } = result;
  expect(told.at(-1)).toEqual(whole);
});

describe("measureCurvature() with a journal", () => {
  it("goes on from every part to the result of an uninterrupted run, and measures no part again", async () => {
    const whole = await measure();
    const journalPath = join(folder, "journal.json");
    const stopIn = async (stage: CurvatureProgress["stage"], form: 0 | 1) => {
      const stop = new AbortController();
      const again = new Set<string>();
      const run = measure({
        ...{ journalPath, signal: stop.signal },
        onProgress: (at) => {
          const canonical = at.done > 0.5;
          if (at.stored !== true) again.add(`${at.stage} ${canonical}`);
          if (at.stage === stage && canonical === (form === 1)) stop.abort();
        },
      });
      await expect(run).rejects.toThrow(/abort/i);
      return again;
    };
    await stopIn("density", 0);
    const stored = () => Object.keys(JSON.parse(readFileSync(journalPath, "utf8")).data);
    expect(stored()).toEqual(["as it is: eigenvalues", "as it is: trace"]);
    expect([...(await stopIn("layers", 0))].sort()).toEqual(["density false", "layers false"]);
    expect(stored().at(-1)).toBe("as it is: layer l0");
    await stopIn("trace", 1);
    expect(stored()).toContain("as it is: settling");
    expect(stored().at(-1)).toBe("canonical: eigenvalues");
    const result = await measure({ journalPath });
    expect(JSON.stringify(result)).toBe(JSON.stringify(whole));
    const later: CurvatureProgress[] = [];
    await measure({ journalPath, onProgress: (at) => later.push(at) });
    expect(later.length).toBeGreaterThan(0);
    expect(later.filter(({ stage, stored }) => !stored && stage !== "critical-sharpness")).toEqual([]);
    await expect(measure({ journalPath, seed: 1 })).rejects.toThrow(MismatchError);
  });
});
