import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { engineWithMemory } from "./helpers/engine-with-memory.ts";
import { STEPS } from "./helpers/work-on-device.ts";

const processor = createOnnxRuntimeEngine();

/** Tensors that cross in every step of training: examples, labels, the learning rate, and what is read. */
const TRAINING = ["labels", "learningRate", "x", "from correct", "from loss"];

/** Tensors that cross in steps of each kind; no weights are among them. */
const CROSS: Readonly<Record<string, readonly string[]>> = {
  training: TRAINING,
  "training near a reference": TRAINING,
  "training with masks": TRAINING,
  curve: [...TRAINING, "coefficient@a", "coefficient@b", "coefficient@bend 1"],
  star: [...TRAINING, "coefficient@anchor", "coefficient@star"],
  // The matrices are what is learned, by steps on the processor in f64, and the products their gradients.
  "learned alignment": [
    ...["matrices 3", "matrices 8", "share a", "share b", "targets", "x", "from loss"],
    ...Array.from({ length: 5 }, (_, i) => `from product ${i}`),
  ],
};

describe("a step on an engine with a device", () => {
  it.each(Object.entries(STEPS))(
    "of %s copies no weights, and gives the results of the processor",
    async (kind, work) => {
      const { engine, crossings } = engineWithMemory(processor);
      expect(await work(engine)).toEqual(await work(processor));
      const ends = crossings.findLast(({ graph }) => graph === "products") ?? crossings.at(-1);
      const runs = crossings.flatMap(({ graph }, i) => (graph === ends?.graph ? [i] : []));
      const later = crossings.slice((runs[1] ?? 0) + 1, (runs.at(-1) ?? 0) + 1);
      const crossed = later.flatMap(({ to, held, from }) => [
        ...to,
        ...held,
        ...from.map((name) => `from ${name}`),
      ]);
      expect(later.length).toBeGreaterThan(1);
      expect([...new Set(crossed)].sort()).toEqual([...(CROSS[kind] ?? [])].sort());
    },
  );
});
