import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { engineWithMemory } from "./helpers/engine-with-memory.ts";
import { STEPS } from "./helpers/work-on-device.ts";

const processor = createOnnxRuntimeEngine();

/** Inputs that are copied in every step of training. */
const TRAINING = ["labels", "learningRate", "x"];

const WEIGHTS = [0, 1, 2].flatMap((layer) => [`l${layer}.weight`, `l${layer}.bias`]);

/** Tensors that cross in the steps of a kind of work. */
interface Crossed {
  /** Names of inputs that are copied to the device. */
  readonly to: readonly string[];
  /** Number of outputs that are copied back, loss and correct among them. */
  readonly from: number;
}

/** Tensors that cross, by kind of work: weights are among them only if the processor changes them. */
const CROSS: Readonly<Record<string, Crossed>> = {
  training: { to: TRAINING, from: 2 },
  "training near a reference": { to: TRAINING, from: 2 },
  "training with masks": { to: TRAINING, from: 2 },
  curve: { to: [...TRAINING, ...["a", "b", "bend 1"].map((point) => `coefficient@${point}`)], from: 2 },
  // An anchor crosses in the steps that draw another one than the step before.
  star: {
    to: [
      ...TRAINING,
      ...["coefficient@anchor", "coefficient@star"],
      ...WEIGHTS.map((name) => `${name}@anchor`),
    ],
    from: 2,
  },
  // The processor moves the vertex away from the others, which stay; its state crosses with it.
  simplex: {
    to: [
      ...TRAINING,
      ...["start 1", "vertex 1", "new vertex"].map((point) => `coefficient@${point}`),
      ...WEIGHTS.flatMap((name) => [`${name}@new vertex`, `momentum(${name}@new vertex)`]),
    ],
    from: 2 + 2 * WEIGHTS.length,
  },
  // The processor computes weights from coordinates; the frozen weights of one layer stay.
  subspace: {
    to: [
      ...TRAINING,
      ...["gradient", "coordinates", "momentum(coordinates)"],
      ...WEIGHTS.filter((name) => !name.startsWith("l1")),
    ],
    from: 2 + 4 + 3,
  },
  // The matrices are what the processor learns in f64, and the products are their gradients.
  "learned alignment": {
    to: ["1 matrices 3", "1 matrices 8", "share 0", "share 1", "targets", "x"],
    from: 6,
  },
};

describe("a step on an engine with a device", () => {
  it.each(Object.entries(STEPS))(
    "of %s copies what it must, and gives the results of the processor",
    async (kind, work) => {
      const { engine, crossings } = engineWithMemory(processor);
      expect(await work(engine)).toEqual(await work(processor));
      const ends = crossings.findLast(({ graph }) => graph === "products") ?? crossings.at(-1);
      const runs = crossings.flatMap(({ graph }, i) => (graph === ends?.graph ? [i] : []));
      const later = crossings.slice((runs[1] ?? 0) + 1, (runs.at(-1) ?? 0) + 1);
      const namesOf = (of: (crossing: (typeof later)[number]) => readonly string[]) => [
        ...new Set(later.flatMap(of)),
      ];
      expect(later.length).toBeGreaterThan(1);
      expect(namesOf(({ to, held }) => [...to, ...held]).sort()).toEqual([...(CROSS[kind]?.to ?? [])].sort());
      expect(namesOf(({ from }) => from)).toHaveLength(CROSS[kind]?.from ?? 0);
    },
  );
});
