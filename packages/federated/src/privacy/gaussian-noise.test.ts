import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveKey, drawSecret } from "../random/derive-key.ts";
import { keystreamInto } from "../random/keystream.ts";
import { addGaussianNoiseInPlace, type NoisePlace } from "./gaussian-noise.ts";

const PLACE: NoisePlace = { seed: 1, round: 3, tensor: "layers.0.weight" };
const draw = (place: Partial<NoisePlace>, count: number, begin = 0, deviation = 1): Float64Array =>
  addGaussianNoiseInPlace({ ...PLACE, ...place }, begin, deviation, new Float64Array(count));

/** Distribution function of the normal, by Abramowitz and Stegun 7.1.26; its error is below 1.5e-7. */
function normalCdf(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp((-x * x) / 2)) / 2;
  return x < 0 ? tail : 1 - tail;
}

describe("addGaussianNoiseInPlace", () => {
  test("does not depend on how a tensor is cut into ranges", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        (begin, count, cut) => {
          const first = Math.min(cut, count);
          const parts = [draw({}, first, begin), draw({}, count - first, begin + first)];
          expect(parts.flatMap((part) => [...part])).toEqual([...draw({}, count, begin)]);
        },
      ),
      { seed: 15 },
    );
    const long = draw({}, 20_001);
    expect([...draw({}, 10_000, 5_001)]).toEqual([...long.subarray(5_001, 15_001)]);
  });

  test("is normal: the distances of its distribution are those of fair draws", () => {
    const count = 200_000;
    const sorted = draw({}, count).sort();
    let distance = 0;
    for (const [i, x] of sorted.entries())
      distance = Math.max(distance, Math.abs((i + 0.5) / count - normalCdf(x)));
    // Kolmogorov and Smirnov: 1.95 is exceeded by one fair draw in a thousand.
    expect(distance * Math.sqrt(count)).toBeLessThan(1.95);
    // Beyond 4 deviations lie 63 in a million.
    const far = sorted.filter((x) => Math.abs(x) > 4).length;
    expect(Math.abs(far - 12.7)).toBeLessThan(5 * Math.sqrt(12.7));
  });

  test.each([
    ["pairs", {}, 1],
    ["other rounds", { round: 4 }, 0],
    ["other tensors", { tensor: "layers.1.weight" }, 0],
    ["other clients", { client: "ada" }, 0],
    ["other seeds", { seed: 2 }, 0],
    ["secret seeds", { seed: deriveKey(5) }, 0],
  ])("is independent of noise of %s", (_name, place, lag) => {
    const count = 100_000;
    const [a, b] = [draw({}, count), draw(place, count, lag)];
    const product = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    expect(Math.abs(product)).toBeLessThan(4.5 * Math.sqrt(count));
  });

  test("is scaled by the deviation and added to what is there", () => {
    const values = new Float64Array([10, 20, 30]);
    addGaussianNoiseInPlace(PLACE, 0, 2, values);
    const noise = draw({}, 3);
    expect([...values]).toEqual([10 + 2 * noise[0]!, 20 + 2 * noise[1]!, 30 + 2 * noise[2]!]);
    expect([...draw({}, 2, 0, 0)]).toEqual([0, 0]);
    expect(() => draw({}, 1, 0, -1)).toThrow(/"layers.0.weight" as its standard deviation/);
    expect(() => draw({}, 1, 0, Number.NaN)).toThrow(/standard deviation/);
  });

  test("keeps its numbers from one version to the next", () => {
    expect([...draw({}, 3)]).toMatchInlineSnapshot(`
      [
        -0.7313417014966656,
        0.6590362785377762,
        1.0817110122283367,
      ]
    `);
  });
});

describe("keys and their streams", () => {
  test("are other ones for other labels, however they are cut", () => {
    const keys = [["a", "bc"], ["ab", "c"], ["abc"], ["a", "b", "c"], []].map((labels) =>
      deriveKey(1, ...labels),
    );
    expect(new Set(keys.map((key) => key.join())).size).toBe(5);
    expect(deriveKey(1, 2)).not.toEqual(deriveKey(1, "2"));
  });

  test("of secrets must be secrets", () => {
    expect(drawSecret()).toHaveLength(32);
    expect(drawSecret()).not.toEqual(drawSecret());
    expect(() => deriveKey(new Uint8Array(8))).toThrow(/must have 32 bytes: it has 8/);
    for (const seed of [-1, 0.5, 2 ** 53])
      expect(() => deriveKey(seed)).toThrow(/seed must be a whole number/);
  });

  test("can be read from any position, also across the size of a chunk and beyond 2^34", () => {
    const key = deriveKey(1);
    for (const begin of [0, 1, 65_535, 2 ** 34 - 2]) {
      const whole = keystreamInto(key, begin, new Uint32Array(70_000));
      for (const from of [1, 5, 65_536]) {
        expect(keystreamInto(key, begin + from, new Uint32Array(100))).toEqual(whole.slice(from, from + 100));
      }
    }
  });

  test("are AES-256 of the counter", () => {
    // FIPS 197, appendix C.3 has no block of zeros; the known answer of NIST's AESAVS for key and block of
    // 0 is.
    expect(Buffer.from(keystreamInto(new Uint8Array(32), 0, new Uint32Array(4)).buffer).toString("hex")).toBe(
      "dc95c078a2408989ad48a21492842087",
    );
  });
});
