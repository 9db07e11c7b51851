import { createTensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { createDataSet } from "./create-data-set.ts";
import { type PairImagesOptions, pairImages } from "./pair-images.ts";

const pixels = Uint8Array.from({ length: 5 * 6 }, (_, i) => (10 * (i + 1)) % 256);
const labels = Int32Array.of(0, 1, 2, 0, 1);
const images = createDataSet(createTensor("u8", [5, 2, 3], pixels), labels, { name: "images" });
const numbersOf = (from: Parameters<typeof pairImages>[0], index: number) => [
  ...(from.read(index, index + 1).inputs.data as Float32Array),
];
const tasksOf = (options: PairImagesOptions) => {
  const { features, labels: first } = pairImages(images, options).read(0, 5);
  return [
    first,
    ...["task_1", "task_2"].map((task) =>
      Int32Array.from(features?.get(task)?.data as BigInt64Array, Number),
    ),
  ];
};

describe("pairImages()", () => {
  it("puts images side by side, with the labels of both", () => {
    const paired = pairImages(images, { layout: "beside" });
    expect([paired.size, paired.exampleShape, paired.classes]).toEqual([5, [1, 2, 6], 3]);
    const [first, task, other] = tasksOf({ layout: "beside" });
    expect(first).toEqual(labels);
    expect(task).toEqual(labels);
    for (let i = 0; i < 5; i++) {
      const pair = numbersOf(paired, i);
      const halves = [0, 3].map((begin) =>
        [0, 1].flatMap((row) => pair.slice(6 * row + begin, 6 * row + begin + 3)),
      );
      expect(halves[0]).toEqual(numbersOf(images, i));
      const second = [0, 1, 2, 3, 4].findIndex((k) => numbersOf(images, k).join() === halves[1]?.join());
      expect(second).toBeGreaterThanOrEqual(0);
      expect(other?.[i]).toBe(labels[second]);
    }
  });

  it("overlays images in opposite corners, where the brighter pixel counts", () => {
    const paired = pairImages(images, { offset: 1 });
    expect(paired.exampleShape).toEqual([1, 3, 4]);
    for (let i = 0; i < 5; i++) {
      const pair = numbersOf(paired, i);
      numbersOf(images, i).forEach((pixel, k) => {
        expect(pair[4 * Math.floor(k / 3) + (k % 3)]).toBeGreaterThanOrEqual(pixel);
      });
    }
  });

  it("pairs by the seed, and each image is a second one once", () => {
    expect(tasksOf({ seed: 1 })).toEqual(tasksOf({ seed: 1 }));
    const orders = [0, 1, 2, 3, 4, 5].map((seed) => tasksOf({ seed })[2]?.join());
    expect(new Set(orders).size).toBeGreaterThan(1);
    expect(tasksOf({ seed: 2 })[2]?.slice().sort()).toEqual(labels.slice().sort());
  });

  it("refuses what are no images, and other layouts", () => {
    const rows = createDataSet(createTensor("f32", [2, 3], new Float32Array(6)), Int32Array.of(0, 1), {});
    expect(() => pairImages(rows)).toThrow(/must be images \[channels, height, width\].*they are \[3\]/);
    expect(() => pairImages(images, { layout: "above" as never })).toThrow(
      /one of beside, overlaid: it is "above"/,
    );
  });
});
