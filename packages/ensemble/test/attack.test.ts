import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, type Checkpoint, createTensor } from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import {
  type AttackNorm,
  type AttackOptions,
  type AttackSource,
  attackExamples,
  type MeasureAttackOptions,
  measureAttack,
} from "@isthmus/ensemble";
import type { DataSet } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { rangeOf } from "../src/attack/attack-options.ts";
import { smallArchitecture, testData, trained } from "./small-task.ts";

const architecture = smallArchitecture();
const networks = [await trained(0), await trained(1), await trained(2)] as [
  Checkpoint,
  Checkpoint,
  Checkpoint,
];
const [first, second, third] = networks;
const one: AttackSource = { name: "one", networks: [first] };

const attack = (options: MeasureAttackOptions, source: AttackSource = one, data: DataSet = testData) =>
  measureAttack(architecture, { sources: [source], targets: [...networks] }, data, options);

const options: fc.Arbitrary<AttackOptions> = fc.record({
  method: fc.constantFrom("fgsm" as const, "pgd" as const),
  norm: fc.constantFrom<AttackNorm>("linf", "l2"),
  epsilon: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(5),
});

describe("attackExamples()", () => {
  it("stays within the distance and within the range of pixels", async () => {
    const { inputs } = testData.read(0, testData.size);
    const { unit, channels } = rangeOf(testData);
    const { low, high } = at(channels, 0, "channel");
    const source = { name: "three", networks, mode: "in-turn" } as const;
    await fc.assert(
      fc.asyncProperty(options, async (attacking) => {
        const { data: changed, shape } = await attackExamples(architecture, source, testData, attacking);
        expect(shape).toEqual(inputs.shape);
        const changes = [...(changed as Float32Array)].map((x, i) => x - Number(inputs.data[i]));
        const rows = Array.from({ length: testData.size }, (_, i) => changes.slice(16 * i, 16 * i + 16));
        for (const row of rows) {
          const distance = attacking.norm === "l2" ? Math.hypot(...row) : Math.max(...row.map(Math.abs));
          expect(distance).toBeLessThanOrEqual((attacking.epsilon ?? 0) * unit * (1 + 1e-5) + 1e-6);
        }
        expect(Math.min(...(changed as Float32Array))).toBeGreaterThanOrEqual(Math.fround(low));
        expect(Math.max(...(changed as Float32Array))).toBeLessThanOrEqual(Math.fround(high));
      }),
      { numRuns: 20 },
    );
  });

  it("gives the same bytes for the same seed, however examples are batched, and others for another", async () => {
    const bytes = async (seed: number, batchSize: number, source = one) =>
      (await attackExamples(architecture, source, testData, { seed, batchSize, epsilon: 0.1, steps: 3 }))
        .data;
    const usual = await bytes(0, 40);
    expect(await bytes(0, 40)).toEqual(usual);
    expect(await bytes(1, 40)).not.toEqual(usual);
    // Batches of another size may round gradients differently, which changes few signs if any.
    const others = (await bytes(0, 7)) as Float32Array;
    const apart = [...others].filter((x, i) => Math.abs(x - Number(usual[i])) > 1e-5).length;
    expect(apart).toBeLessThan(usual.length / 50);
  });

  it("leaves examples as they are at distance 0", async () => {
    const { inputs } = testData.read(0, testData.size);
    const { data: changed } = await attackExamples(architecture, one, testData, { epsilon: 0 });
    expect(changed).toEqual(inputs.data);
  });

  it("takes copies of a network for that network, together and in turn", async () => {
    const fast = { method: "fgsm", epsilon: 0.2 } as const;
    const alone = await attackExamples(architecture, one, testData, fast);
    for (const mode of ["together", "in-turn"] as const) {
      const copies = { name: "copies", networks: [first, first, first], mode };
      const { data: changed } = await attackExamples(architecture, copies, testData, fast);
      const apart = [...(changed as Float32Array)].filter(
        (x, i) => Math.abs(x - Number(alone.data[i])) > 1e-5,
      );
      expect(apart.length).toBeLessThan(changed.length / 50);
    }
  });
});

describe("measureAttack()", () => {
  it("goes on from its journal to the same result, and refuses the one of another attack", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-attack-"));
    try {
      const journalPath = join(folder, "batches.json");
      const steps = { steps: 3, batchSize: 10 };
      const whole = await attack(steps);
      const controller = new AbortController();
      const stopped = attack({
        ...{ ...steps, journalPath, signal: controller.signal },
        onProgress: ({ done }) => done > 0.4 && controller.abort(),
      });
      await expect(stopped).rejects.toThrow(/abort/i);
      const pieces = () => Object.keys(JSON.parse(readFileSync(journalPath, "utf8")).pieces as object);
      expect(pieces().length).toBeLessThan(4);
      const done: number[] = [];
      expect(await attack({ ...steps, journalPath, onProgress: (at) => done.push(at.done) })).toEqual(whole);
      expect(pieces()).toHaveLength(4);
      await expect(attack({ ...steps, journalPath, epsilon: 0.5 })).rejects.toThrow(
        /the same measurement: "epsilon"/,
      );
      await expect(attack({ ...steps, journalPath }, { name: "one", networks: [second] })).rejects.toThrow(
        /"source 1"/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("several steps raise the loss at least as far as one of the same distance", async () => {
    for (const norm of ["linf", "l2"] as const) {
      for (const epsilon of [0.05, 0.15, 0.3]) {
        const { sources: single } = await attack({ method: "fgsm", norm, epsilon });
        const { sources: several } = await attack({ norm, epsilon, steps: 20, randomStart: false });
        const [a, b] = [single[0]?.loss, several[0]?.loss];
        expect(b?.before).toBe(a?.before);
        expect(a?.after).toBeGreaterThan(a?.before ?? Number.NaN);
        expect(b?.after).toBeGreaterThanOrEqual((a?.after ?? Number.NaN) * (1 - 1e-6));
      }
    }
  });

  it("counts fooled ones among what a target classifies correctly", async () => {
    const result = await attack({ method: "fgsm", epsilon: 0.3 });
    const [source] = result.sources;
    const { inputs, labels } = testData.read(0, testData.size);
    const pixels = await attackExamples(architecture, one, testData, { method: "fgsm", epsilon: 0.3 });
    expect(result.targets.length).toBe(3);
    source?.targets.forEach(({ success, accuracy }, i) => {
      const clean = result.targets[i]?.accuracy ?? Number.NaN;
      // All that stay correct are among the correct ones, or were put right by chance.
      expect(success).toBeGreaterThanOrEqual((clean - accuracy) / clean - 1e-12);
      expect(success).toBeLessThanOrEqual(1);
    });
    const changed = createDataSet(createTensor("f32", [...inputs.shape], pixels.data), labels, {
      name: "changed",
    });
    const { targets } = await attack({ epsilon: 0 }, one, changed);
    expect(targets.map(({ accuracy }) => accuracy)).toEqual(source?.targets.map(({ accuracy }) => accuracy));
    expect(result).toMatchObject({
      kind: "attack",
      pixels: true,
      steps: 1,
      stepSize: 0.3,
      randomStart: false,
    });
  });

  it("has no success where a target is never right", async () => {
    const { inputs, labels } = testData.read(0, 3);
    const wrong = createDataSet(
      inputs,
      Int32Array.from(labels, (label) => (label + 1) % 3),
      {
        name: "wrong",
        classes: 3,
      },
    );
    const { sources } = await attack({ epsilon: 0 }, one, wrong);
    expect(sources[0]?.targets[0]).toEqual({ success: null, accuracy: 0 });
  });

  it("makes one pass over the networks of a source in turn, in an order of the seed", async () => {
    const inTurn: AttackSource = { name: "in turn", networks: [first, second, third], mode: "in-turn" };
    const changed = (seed: number) =>
      attackExamples(architecture, inTurn, testData, {
        steps: 1,
        randomStart: false,
        epsilon: 0.1,
        method: "pgd",
        seed,
      });
    const orders = await Promise.all([0, 1, 2, 3, 4, 5].map(changed));
    // A single step is one of all together, whatever the seed.
    for (const { data } of orders) expect(data).toEqual(orders[0]?.data);
    const two = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((seed) =>
        attackExamples(architecture, inTurn, testData, { steps: 2, randomStart: false, epsilon: 0.1, seed }),
      ),
    );
    expect(new Set(two.map(({ data }) => data.join())).size).toBeGreaterThan(1);
  });

  test.each<readonly [string, MeasureAttackOptions, RegExp]>([
    ["steps of the sign method", { method: "fgsm", steps: 3 }, /by fgsm with "steps" or "stepSize"/],
    ["a negative distance", { epsilon: -1 }, /"epsilon" must be a number of at least 0: it is -1/],
    ["no steps", { steps: 0 }, /"steps" must be/],
    ["another norm", { norm: "l1" as never }, /"norm" must be one of linf, l2: it is "l1"/],
    ["another method", { method: "cw" as never }, /"method" must be one of fgsm, pgd/],
    ["an unknown option", { eps: 1 } as never, /no option "eps"/],
    ["no batch", { batchSize: 0 }, /"batchSize" must be/],
  ])("refuses %s", async (_, wrong, message) => {
    await expect(attack(wrong)).rejects.toThrow(message);
  });

  it("refuses sources and targets without networks, and words", async () => {
    const none = { name: "none", networks: [] };
    await expect(attack({}, none)).rejects.toThrow(/at least one network .*: there are none in "none"/);
    await expect(measureAttack(architecture, { sources: [one], targets: [] }, testData)).rejects.toThrow(
      /1 sources and 0 targets/,
    );
    const text = createTextDataSet(markovText(200, 0), { context: 8, name: "text" });
    const { graph, initialize } = parseNetwork("gpt:d1:w8:h2:c8", text);
    const words: AttackSource = { name: "words", networks: [initialize(0)] };
    await expect(
      measureAttack({ ...architecture, graph }, { sources: [words], targets: words.networks }, text),
    ).rejects.toThrow(/examples must be f32 numbers, such as images/);
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const stop = { onProgress: () => controller.abort(), signal: controller.signal, batchSize: 10 };
    await expect(attack(stop)).rejects.toThrow(/abort/i);
  });
});
