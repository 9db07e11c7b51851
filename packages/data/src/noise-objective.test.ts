import { createTensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDataSet } from "./create-data-set.ts";
import { addNoise, NOISE_TARGETS, type NoiseObjective } from "./noise-objective.ts";
import { NOISE_SCHEDULE_DEFAULTS, type NoiseScheduleOptions, remainingSignal } from "./noise-schedule.ts";

const STABLE: Partial<NoiseScheduleOptions> = { shape: "scaled_linear", first: 0.00085, last: 0.012 };

// What tools/golden/unets.py prints of DDPMScheduler of diffusers, after steps 0, 3, 700 and 999.
test.each<[Partial<NoiseScheduleOptions>, readonly number[]]>([
  [{}, [0.9998999834060669, 0.9994806051254272, 0.006868278607726097, 4.035830352222547e-5]],
  [STABLE, [0.9991499781608582, 0.9965761303901672, 0.08252081274986267, 0.00466009508818388]],
  [
    { shape: "squaredcos_cap_v2" },
    [0.9999586939811707, 0.9998056888580322, 0.20186889171600342, 2.4287349909002387e-9],
  ],
  [{ ...STABLE, endsInNoise: true }, [0.9991499781608582, 0.9963876605033875, 0.05524948611855507, 0]],
])("remainingSignal() of %j is that of diffusers", (options, expected) => {
  const remaining = remainingSignal({ ...NOISE_SCHEDULE_DEFAULTS, ...options });
  // Products of 1,000 factors are rounded to 32 bits there.
  [0, 3, 700, 999].forEach((step, i) => {
    expect(Math.abs((remaining[step] ?? 1) - (expected[i] ?? 0))).toBeLessThan(
      2e-5 * (expected[i] ?? 0) + 1e-9,
    );
  });
});

const images = (count: number) => {
  const pixels = Float32Array.from({ length: count * 6 }, (_, i) => Math.sin(i));
  return createDataSet(
    createTensor("f32", [count, 1, 2, 3], pixels),
    Int32Array.from({ length: count }, (_, i) => i),
  );
};

const objectiveOf = (predicts: NoiseObjective["predicts"]): NoiseObjective => ({
  kind: "noise",
  schedule: NOISE_SCHEDULE_DEFAULTS,
  predicts,
});

describe("addNoise()", () => {
  test("image and noise can be taken out of the inputs, the same however they are read", () => {
    const remaining = remainingSignal(NOISE_SCHEDULE_DEFAULTS);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.nat(7),
        fc.constantFrom(...NOISE_TARGETS),
        (size, at, predicts) => {
          const plain = images(size);
          const data = addNoise(plain, objectiveOf(predicts));
          const begin = at % size;
          const { inputs, features, labels } = data.read(begin, size);
          const target = features?.get("target")?.data ?? [];
          const steps = features?.get("timestep")?.data ?? [];
          const original = plain.read(begin, size).inputs.data;
          expect(labels).toHaveLength(0);
          inputs.data.forEach((value, i) => {
            const share = remaining[Number(steps[Math.floor(i / 6)])] ?? 0;
            const [signal, rest] = [Math.sqrt(share), Math.sqrt(1 - share)];
            const image = Number(original[i]);
            const noise = (Number(value) - signal * image) / rest;
            const expected = { epsilon: noise, v_prediction: signal * noise - rest * image, sample: image };
            expect(Number(target[i])).toBeCloseTo(expected[predicts], 3);
          });
          expect(
            addNoise(plain, objectiveOf(predicts))
              .read(0, size)
              .inputs.data.slice(begin * 6),
          ).toEqual(inputs.data);
          const shifted = addNoise(plain, objectiveOf(predicts), { begin: 1 })
            .read(0, 1)
            .features?.get("timestep")?.data;
          if (size > 1) expect(shifted).toEqual(data.read(1, 2).features?.get("timestep")?.data);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("noise has mean 0 and variance 1, and steps are spread over the schedule", () => {
    const { features } = addNoise(images(600), objectiveOf("epsilon")).read(0, 600);
    const noise = Array.from(features?.get("target")?.data ?? [], Number);
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const square = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    expect([Math.abs(mean) < 0.08, Math.abs(square - 1) < 0.1]).toEqual([true, true]);
    const steps = Array.from(features?.get("timestep")?.data ?? [], Number);
    expect(Math.abs(steps.reduce((sum, step) => sum + step, 0) / steps.length - 500)).toBeLessThan(60);
    expect([Math.min(...steps) >= 0, Math.max(...steps) < 1000]).toEqual([true, true]);
  });

  test("classes go with the images, and data that are no images stay as they are", () => {
    const data = addNoise(images(4), objectiveOf("epsilon"), { inputs: ["sample", "class_labels"] });
    expect(data).toMatchObject({ targets: "target", labelling: "none", inputName: "sample", classes: 0 });
    expect(data.read(1, 3).features?.get("class_labels")?.data).toEqual(BigInt64Array.of(1n, 2n));
    const rows = createDataSet(createTensor("f32", [2, 3], new Float32Array(6)), Int32Array.of(0, 1));
    expect(addNoise(rows, objectiveOf("epsilon"))).toBe(rows);
    expect(addNoise(data, objectiveOf("epsilon"))).toBe(data);
  });
});
