import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupBy } from "./group-by.ts";

describe("groupBy()", () => {
  it("puts each item into the group of its key, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (items) => {
        const groups = groupBy(items, (item) => item % 3);
        expect([...groups.keys()]).toEqual([...new Set(items.map((item) => item % 3))]);
        for (const [key, group] of groups) expect(group).toEqual(items.filter((item) => item % 3 === key));
      }),
    );
  });
});
