import { type MechanismsResult, measureMechanisms } from "@isthmus/connectivity";
import { createCheckpoint, createTensor, OutOfRangeError, UsageError } from "@isthmus/core";
import { counterfactuals, createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createCurve } from "@isthmus/interpolation";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";

const SIDE = 4;
const PIXELS = SIDE * SIDE;
/** Two classes: the lower left pixel tells the class by the image; cues stand above, left and right. */
const SIZE = 40;
const SIGNAL = 12;
const images = createDataSet(
  createTensor(
    "f32",
    [SIZE, 1, SIDE, SIDE],
    Float32Array.from({ length: SIZE * PIXELS }, (_, i) =>
      i % PIXELS === SIGNAL && Math.floor(i / PIXELS) % 2 === 1 ? 1 : 0,
    ),
  ),
  Int32Array.from({ length: SIZE }, (_, i) => i % 2),
  { name: "pixels", classes: 2 },
);
const sets = counterfactuals(images, { size: 1 });
const { graph, initialize } = parseNetwork("mlp:2", images);
const architecture = { graph, engine: createOnnxRuntimeEngine() };

/** Pixels where the cue of each class stands: the upper left corner, and opposite. */
const CUES = [0, PIXELS - 1];

/** A network of two units that reads one pixel for each class, with a bias towards class 0. */
function reader(zero: number | undefined, one: number, bias: number, swap = false) {
  const tensors = [...initialize(0).tensors.keys()];
  const [first, firstBias, second, secondBias] = tensors as [string, string, string, string];
  const hidden = new Float32Array(2 * PIXELS);
  const [a, b] = swap ? [1, 0] : [0, 1];
  if (zero !== undefined) hidden[a * PIXELS + zero] = 1;
  hidden[b * PIXELS + one] = 1;
  const out = new Float32Array(4);
  out[a] = 10;
  out[2 + b] = 10;
  return createCheckpoint(
    {
      [first]: createTensor("f32", [2, PIXELS], hidden),
      [firstBias]: createTensor("f32", [2], new Float32Array(2)),
      [second]: createTensor("f32", [2, 2], out),
      [secondBias]: createTensor("f32", [2], Float32Array.of(bias, 0)),
    },
    {},
    zero === undefined ? "image" : "cue",
  );
}

const byImage = reader(undefined, SIGNAL, 1);
const byCue = reader(CUES[0], CUES[1] as number, 0.5);
const errors = ({ sets: measured }: MechanismsResult, end: number) =>
  Object.fromEntries(measured.map(({ name, path }) => [name, path.points.at(end)?.error ?? Number.NaN]));

describe("measureMechanisms()", () => {
  it("tells a network that reads the image from one that reads the cue", async () => {
    const result = await measureMechanisms(architecture, [byImage, byCue], sets, { points: 5 });
    const [a, b] = [errors(result, 0), errors(result, -1)];
    expect([a["cue"], a["no cue"], a["random cue"]]).toEqual([0, 0, 0]);
    expect(a["random image"]).toBeGreaterThan(0.2);
    expect([b["cue"], b["no cue"], b["random image"]]).toEqual([0, 0.5, 0]);
    expect(b["random cue"]).toBeGreaterThan(0.2);
    expect(result).toMatchObject({ kind: "mechanisms", similar: false, path: "line", a: "image", b: "cue" });
    expect(result.sets.map(({ gap }) => gap > 0.05)).toEqual([false, true, true, true]);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it("a network is similar and connected to itself, and on a straight line not to its permuted self", async () => {
    const same = await measureMechanisms(architecture, [byCue, byCue], sets, { points: 3 });
    expect([same.connected, same.similar]).toEqual([true, true]);
    for (const { barrier, gap } of same.sets) {
      expect(gap).toBe(0);
      expect(barrier.loss.chord).toBeCloseTo(0, 6);
    }
    const permuted = reader(CUES[0], CUES[1] as number, 0.5, true);
    const line = await measureMechanisms(architecture, [byCue, permuted], sets, { points: 3 });
    expect([line.connected, line.similar]).toEqual([false, true]);
    // Half-way each unit reads both cues, and the bias decides.
    expect(line.sets.map(({ barrier }) => barrier.error.chord)).toEqual([
      0.5,
      0,
      expect.any(Number),
      expect.any(Number),
    ]);
  });

  it("a curve is measured in place of the line, under its name", async () => {
    const permuted = reader(CUES[0], CUES[1] as number, 0.5, true);
    const curve = { name: "chain", path: createCurve("chain", [byCue, byCue, permuted]) };
    const options = { points: 5, path: curve, tolerance: 0.5 };
    const result = await measureMechanisms(architecture, [byCue, permuted], sets, options);
    expect(result).toMatchObject({ path: "chain", connected: true, tolerance: 0.5 });
    const { points } = result.sets[0]?.path ?? { points: [] };
    expect(points.map(({ length }) => length > 0)).toEqual([false, false, false, true, true]);
  });

  it("passes progress of all sets on, and refuses what it cannot measure", async () => {
    const done: number[] = [];
    const onProgress = (progress: { readonly done: number }) => done.push(progress.done);
    await measureMechanisms(architecture, [byCue, byCue], sets, { points: 2, onProgress });
    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((step) => step / 8));
    const measure = (options: object, of = sets as object) =>
      measureMechanisms(architecture, [byCue, byCue], of as typeof sets, options);
    await expect(measure({ tolerance: 2 })).rejects.toThrow(OutOfRangeError);
    await expect(measure({ points: 1 })).rejects.toThrow(/"points" must be/);
    await expect(measure({}, {})).rejects.toThrow(UsageError);
    await expect(measure({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
