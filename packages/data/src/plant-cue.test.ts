import { createTensor, OutOfRangeError, UnsupportedError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDataSet } from "./create-data-set.ts";
import { CUE_KINDS, CUE_VARIANTS, type CueVariant, type PlantCueOptions } from "./cue-options.ts";
import { openDataSet } from "./open-data-set.ts";
import { parseDataSetName } from "./parse-data-set-name.ts";
import { plantCue } from "./plant-cue.ts";

const SIDE = 16;
const PIXELS = SIDE * SIDE;

/** Images of 4 classes whose pixels all have the number of the example, from 10. */
function images(size: number) {
  const pixels = Float32Array.from({ length: size * PIXELS }, (_, i) => 10 + Math.floor(i / PIXELS));
  const labels = Int32Array.from({ length: size }, (_, i) => i % 4);
  const inputs = createTensor("f32", [size, 1, SIDE, SIDE], pixels);
  return createDataSet(inputs, labels, { name: "numbered", classes: 4 });
}

/** For each example: its label, the number of its image, and the first pixel of its patch, if it has one. */
function look(data: ReturnType<typeof images>, begin = 0, end = data.size) {
  const { inputs, labels } = data.read(begin, end);
  return [...labels].map((label, i) => {
    const pixels = [...(inputs.data as Float32Array).subarray(i * PIXELS, (i + 1) * PIXELS)];
    const image = pixels.find((pixel) => pixel >= 10);
    const patch = pixels.findIndex((pixel) => pixel < 10);
    return { label, image, patch, level: pixels[patch], painted: pixels.filter((p) => p < 10).length };
  });
}

const cues = fc.record({
  kind: fc.constantFrom(...CUE_KINDS),
  variant: fc.constantFrom(...CUE_VARIANTS),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  seed: fc.nat(),
}) satisfies fc.Arbitrary<PlantCueOptions>;

describe("plantCue()", () => {
  it("plants a patch in the share of examples, alike however they are read, and leaves the data", () => {
    fc.assert(
      fc.property(cues, fc.integer({ min: 4, max: 40 }), (cue, size) => {
        const plain = images(size);
        const data = plantCue(plain, cue);
        const all = look(data);
        expect(all.filter(({ painted }) => painted === 9)).toHaveLength(Math.round(cue.share * size));
        expect(all.map(({ label }) => label)).toEqual([...plain.read(0, size).labels]);
        expect(look(data, 1, size)).toEqual(all.slice(1));
        const batch = data.read(0, 2);
        const read = data.read(0, size).inputs.data.slice((size - 1) * PIXELS);
        data.gatherInto?.(Uint32Array.of(size - 1, 0), batch);
        expect(batch.inputs.data.slice(0, PIXELS)).toEqual(read);
        expect([...batch.labels]).toEqual([all[size - 1]?.label, all[0]?.label]);
        expect(look(plain).every(({ painted }) => painted === 0)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each(CUE_KINDS)("a cue of %s tells the class, and nothing else does by a random image", (kind) => {
    const told = (variant: CueVariant) =>
      look(plantCue(images(400), { kind, variant })).map(({ label, patch, level, image = 0 }) => {
        return { sign: `${patch} ${level}`, label, image };
      });
    for (const variant of ["cue", "random-image"] as const) {
      const signs = told(variant).map(({ sign, label }) => `${sign} of ${label}`);
      expect(new Set(signs).size).toBe(4);
    }
    const random = told("random-cue");
    expect(new Set(random.map(({ sign, label }) => `${sign} of ${label}`)).size).toBe(16);
    expect(random.map(({ image }) => image)).toEqual(Array.from({ length: 400 }, (_, i) => 10 + i));
    const moved = told("random-image").map(({ image }) => image);
    expect(moved.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => 10 + i));
    const agreeing = moved.filter((image, i) => (image - 10) % 4 === i % 4).length;
    expect(agreeing).toBeLessThan(150); // 100 by chance
  });

  it("patches of all classes lie apart on the border", () => {
    const places = look(plantCue(images(4))).map(({ patch }) => [Math.floor(patch / SIDE), patch % SIDE]);
    expect(places).toEqual([
      [0, 0],
      [0, 13],
      [13, 13],
      [13, 0],
    ]);
  });

  it("refuses what has no place for cues", () => {
    const words = createDataSet(createTensor("f32", [2, 3], new Float32Array(6)), Int32Array.of(0, 1));
    expect(() => plantCue(words)).toThrow(UnsupportedError);
    expect(() => plantCue(words)).toThrow(
      /must be images with one label each and nothing else: they are f32 \[3\]/,
    );
    expect(() => plantCue(images(4), { size: 17 })).toThrow(/"size" must be at most the images' 16 x 16/);
    expect(() => plantCue(images(4), { size: 15 })).toThrow(/a place for each of 4 classes/);
    expect(() => plantCue(images(4), { share: 1.5 })).toThrow(OutOfRangeError);
  });
});

describe("names with a cue", () => {
  it.each([
    ["mnist+cue=place", { limit: 0, cue: { kind: "place" } }],
    ["mnist:train@50+cue=grey:0.9", { split: "train", limit: 50, cue: { kind: "grey", share: 0.9 } }],
    ["mnist+cue=place:random-image", { cue: { kind: "place", variant: "random-image" } }],
    ["mnist+cue=place:.5", undefined],
    ["mnist+cue=place:0:random-cue:7", { cue: { kind: "place", share: 0, variant: "random-cue", seed: 7 } }],
    ["mnist+cue=place:1:7", { cue: { kind: "place", share: 1, seed: 7 } }],
    ["npz:a+cue=b.npz:train@3", { paths: ["a+cue=b.npz"], limit: 3 }],
  ])("parseDataSetName() understands %s", (name, expected) => {
    if (expected === undefined) expect(() => parseDataSetName(name)).toThrow(/KIND must be place or grey/);
    else expect(parseDataSetName(name)).toMatchObject({ name, ...expected });
  });

  it.each([
    ["mnist+cue=", /KIND must be place or grey, in .*: the end is ""/],
    ["mnist+cue=colour:1", /the end is "colour:1"/],
    ["mnist+cue=place:2", /SHARE is the share of examples with a cue, from 0 to 1: it is 2/],
    ["mnist+cue=place:nothing", /VARIANT must be one of cue, random-cue, random-image: it is "nothing"/],
  ])("parseDataSetName() refuses %s", (name, message) => {
    expect(() => parseDataSetName(name)).toThrow(message);
  });

  it("openDataSet() plants the cue in the first examples, under the name that was asked for", async () => {
    const name = "mnist:test@20+cue=place:0.5:random-cue:3";
    const data = await openDataSet(name);
    const planted = plantCue(await openDataSet("mnist:test@20"), {
      kind: "place",
      share: 0.5,
      variant: "random-cue",
      seed: 3,
    });
    expect([data.name, planted.name]).toEqual([name, name]);
    expect(data.read(0, 20)).toEqual(planted.read(0, 20));
  });
});
