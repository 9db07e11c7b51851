import { at, createRandom } from "@isthmus/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ChangedPanels, type PanelPair, selectUnits } from "./changed-panels.ts";
import { createPanelSums, type PanelFactors } from "./panel-sums.ts";

const UNITS = 7;
const DEPTH = 5;

test("costs that follow changes of panels are the products of the panels as they are now", async () => {
  const sums = createPanelSums(undefined, 1);
  const productOf = (pair: PanelFactors, base: Float32Array) => {
    const out = new Float32Array(base.length);
    return sums.sum([pair], { base, out }).then(() => out);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(1000),
        byRows: fc.boolean(),
        isFixed: fc.boolean(),
        places: fc.uniqueArray(fc.nat(DEPTH - 1)),
        anew: fc.uniqueArray(fc.nat(UNITS - 1)),
      }),
      async ({ seed, byRows, isFixed, places, anew }) => {
        const random = createRandom(seed, "changed panels");
        const panel = () => Float32Array.from({ length: UNITS * DEPTH }, () => random.normal());
        const pair: PanelPair = { a: panel(), b: panel(), byRows, units: UNITS, isFixed };
        const before = await productOf(pair, new Float32Array(UNITS ** 2));
        const followed = new ChangedPanels(pair);

        const index = (unit: number, place: number) => (byRows ? unit * DEPTH + place : place * UNITS + unit);
        for (const place of places) {
          for (let unit = 0; unit < UNITS; unit++) {
            pair.a[index(unit, place)] = random.normal();
            if (!isFixed) pair.b[index(unit, place)] = random.normal();
          }
        }
        for (const unit of anew) {
          for (let place = 0; place < DEPTH; place++) pair.a[index(unit, place)] = random.normal();
        }
        const ascending = Int32Array.from(anew).sort();
        followed.noteUnits(pair, ascending);
        const changes = Int32Array.from(places).sort();
        const cost = await productOf(followed.follow(pair, changes), before);
        const chosen = { ...pair, a: selectUnits(pair, ascending) };
        const rows = await productOf(chosen, new Float32Array(anew.length * UNITS));
        ascending.forEach((unit, k) => {
          cost.set(rows.subarray(k * UNITS, (k + 1) * UNITS), unit * UNITS);
        });
        const expected = await productOf(pair, new Float32Array(UNITS ** 2));
        cost.forEach((value, i) => {
          expect(value).toBeCloseTo(at(expected, i, "cost"), 4);
        });
        // What has been followed is no change any more: the panels cancel.
        const still = await productOf(followed.follow(pair, changes), cost);
        cost.forEach((value, i) => {
          expect(at(still, i, "cost")).toBeCloseTo(value, 4);
        });
      },
    ),
    { numRuns: 500 },
  );
});
