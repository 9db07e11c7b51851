import { expect, it } from "vitest";
import { swapBytesInPlace } from "./swap-bytes.ts";

it.each([
  [1, [1, 2, 3, 4, 5, 6, 7, 8]],
  [2, [2, 1, 4, 3, 6, 5, 8, 7]],
  [4, [4, 3, 2, 1, 8, 7, 6, 5]],
  [8, [8, 7, 6, 5, 4, 3, 2, 1]],
])("elements of %i bytes are reversed where they stand, and no others", (width, swapped) => {
  const all = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const part = all.subarray(1, 9);
  expect(swapBytesInPlace(part, width)).toBe(part);
  expect([...all]).toEqual([0, ...swapped, 9]);
});
