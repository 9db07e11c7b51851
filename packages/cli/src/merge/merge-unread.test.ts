import { createCheckpoint, createTensor } from "@isthmus/core";
import { expect, test } from "vitest";
import { mergeUnread } from "./merge-unread.ts";

const tensor = (...numbers: readonly number[]) =>
  createTensor("f32", [numbers.length], Float32Array.from(numbers));
const A = createCheckpoint({ read: tensor(1), "tower.weight": tensor(2, 4), "tower.bias": tensor(1) });
const B = createCheckpoint({ read: tensor(3), "tower.weight": tensor(4, 8), "tower.bias": tensor(1, 2) });
const UNREAD = [
  ["tower.weight", "tower.bias"],
  ["tower.weight", "tower.bias"],
];
const COMBINATION = { weights: [0.5, 0.5], layers: undefined, path: "linear" } as const;

test("tensors that the graph does not read are merged like the others, if all have them in one shape", async () => {
  const { complete, words } = mergeUnread([A, B], UNREAD, COMBINATION);
  expect(words).toBe("1 tensor merged like the others, 1 tensor of memory alone");
  const completed = complete(A);
  expect([...completed.tensors.keys()]).toEqual([...A.tensors.keys()]);
  const values = async (name: string) => [...(await completed.read(name)).data];
  expect(await values("tower.weight")).toEqual([3, 6]);
  expect(await values("tower.bias")).toEqual([1]);
  expect(await values("read")).toEqual([1]);
});

test("tensors that the graph does not read are those of the first, if another lacks them or layers have shares", async () => {
  const lacking = mergeUnread([A, B], [["tower.weight"], []], COMBINATION);
  expect(lacking.words).toBe("1 tensor of memory alone");
  expect(lacking.complete(A)).toBe(A);
  const layers = { shares: new Map([["tower.weight", 1]]), description: "tower" };
  const shared = mergeUnread([A, B], UNREAD, { ...COMBINATION, layers });
  expect(shared.words).toBe("2 tensors of memory alone");
  expect(shared.complete(A)).toBe(A);
  expect(mergeUnread([A, B], [], COMBINATION).words).toBeUndefined();
});
