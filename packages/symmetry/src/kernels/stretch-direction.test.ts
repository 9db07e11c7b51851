import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stretchAlongInPlace } from "./stretch-direction.ts";

const sizes = fc.record({
  units: fc.integer({ min: 2, max: 9 }),
  vectors: fc.integer({ min: 2, max: 9 }),
  seed: fc.nat(),
});

test("stretchAlongInPlace() gives each of many vectors the same bits as alone", () => {
  fc.assert(
    fc.property(sizes, ({ units, vectors, seed }) => {
      const random = createRandom(seed, "stretch");
      const values = Float32Array.from({ length: units * vectors }, () => random.normal());
      const direction = Float64Array.from({ length: units }, () => random.normal());
      const bases = Int32Array.from({ length: units }, (_, unit) => unit);
      const offsets = Int32Array.from({ length: vectors }, (_, vector) => vector * units);
      const alone = values.slice();
      for (const offset of offsets) {
        stretchAlongInPlace(alone, { bases, offsets: Int32Array.of(offset) }, direction, -1);
      }
      stretchAlongInPlace(values, { bases, offsets }, direction, -1);
      expect(values).toEqual(alone);
    }),
  );
});
