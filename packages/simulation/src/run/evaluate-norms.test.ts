import { createRandom, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import type { FederationDescription } from "../description/federation-description.ts";
import { simulateFederation } from "../simulate-federation.ts";

/** Images of 4 classes: a bright row for each, with noise. */
function imagesOf(size: number, seed: number): DataSet {
  const random = createRandom(seed);
  const labels = Int32Array.from({ length: size }, (_, i) => i % 4);
  const pixels = Float32Array.from({ length: size * 64 }, (_, i) => {
    const row = Math.floor((i % 64) / 8);
    return 0.3 * random.normal() + (row === 2 * (labels[Math.floor(i / 64)] as number) ? 2 : 0);
  });
  return createDataSet(createTensor("f32", [size, 1, 8, 8], pixels), labels, { name: `images ${seed}` });
}

const data = new Map([
  ["train", imagesOf(160, 1)],
  ["test", imagesOf(80, 2)],
]);
const ports = {
  engine: createOnnxRuntimeEngine(),
  openData: async (name: string) => data.get(name) as DataSet,
};
const federation: FederationDescription = {
  ...{ net: "vgg:1-1:w0.0625", data: "train", evaluate: "test", clients: 4, rounds: 3, seed: 0 },
  client: { batch: 10, epochs: 2, schedule: { kind: "constant", learningRate: 0.1 } },
  partition: { name: "feature-shift", rotation: 0, brightness: 3 },
  measure: { every: 3, norms: true },
};

describe("evaluateNorms()", () => {
  it("evaluateNorms() tells the network of a server that keeps no norms from one with statistics", async () => {
    const { norms, accuracy } = await simulateFederation(
      { ...federation, strategy: { share: { policy: "fedbn" } } },
      ports,
    );
    // Statistics of mean 0 and variance 1, as they were at first, do not fit images that are brightened.
    expect(accuracy).toBeGreaterThan(0.9);
    expect(norms?.aggregated).toBeLessThan(accuracy - 0.1);
    expect(norms?.own).toBeGreaterThan((norms?.aggregated as number) + 0.1);
  });

  it("evaluateNorms() gives the accuracy of the one network where nothing is kept", async () => {
    const { norms, accuracy } = await simulateFederation(federation, ports);
    expect(norms?.aggregated).toBeCloseTo(accuracy, 12);
    expect(norms?.pooled).toBeGreaterThanOrEqual(0);
  });

  it("evaluateNorms() is not asked for where nothing says so, and refused without batch norms", async () => {
    const plain = await simulateFederation({ ...federation, rounds: 1, measure: {} }, ports);
    expect(plain).not.toHaveProperty("norms");
    await expect(simulateFederation({ ...federation, net: "mlp:4" }, ports)).rejects.toThrow(
      /Cannot measure batch norms as "measure.norms" asks .* mlp:4 has none/,
    );
  });
});
