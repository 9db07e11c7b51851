import { type Checkpoint, defineCheckpoint } from "@isthmus/core";
import { expect, test } from "vitest";
import { estimateMerge } from "../executor/estimate-merge.ts";
import { planMerge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";
import {
  describeHeld,
  directionBytes,
  type HeldMatrix,
  heldMatrix,
  joinBytes,
  polarBytes,
  singularBytes,
} from "./held-bytes.ts";

/** Megabytes that a process took to merge one matrix of three networks in bf16, by bench/width.bench.ts. */
const MEASURED: readonly (readonly [string, number, number, number])[] = [
  ["iso_c", 512, 2048, 215],
  ["iso_c", 2048, 2048, 308],
  ["iso_c", 8192, 2048, 494],
  ["tsv_m", 512, 2048, 221],
  ["tsv_m", 2048, 2048, 394],
  ["tsv_m", 8192, 2048, 695],
  ["svc", 512, 2048, 224],
  ["svc", 2048, 2048, 432],
  ["svc", 8192, 2048, 569],
  ["iso_cts", 512, 2048, 243],
  ["iso_cts", 2048, 2048, 497],
  ["iso_cts", 8192, 2048, 815],
  ["knots", 512, 2048, 317],
  ["knots", 2048, 2048, 543],
  ["wudi", 512, 2048, 316],
  ["actmat", 512, 2048, 462],
  ["ace", 512, 2048, 295],
  ["wudi_closed_form", 512, 2048, 274],
  ["dc_merge", 512, 2048, 234],
  ["singular_projection", 512, 2048, 194],
];

const unread = (rows: number, columns: number): Checkpoint =>
  defineCheckpoint({
    source: "never read",
    tensors: new Map([["w", { dtype: "bf16", shape: [rows, columns] }]]),
    async readInto() {},
  });

test.each(MEASURED)("%s of %i x %i is estimated at what it took, or up to half more", async (...run) => {
  const [name, rows, columns, megabytes] = run;
  const method = MERGE_METHODS.get(name)!;
  const networks = [1, 2, 3].map(() => unread(rows, columns));
  const plan = planMerge(networks, { method, base: unread(rows, columns) });
  const { peakBytes } = await estimateMerge(plan, { memory: 4e9 });
  expect(peakBytes / 1e6).toBeGreaterThan(megabytes);
  expect(peakBytes / 1e6).toBeLessThan(1.5 * megabytes);
});

test("matrices are held as f64 up to a smaller extent of 512, and no other tensors are", () => {
  expect(heldMatrix(3, 5, 2)).toEqual({ rows: 3, columns: 5, networks: 2, short: 3, width: 8, whole: 120 });
  expect(heldMatrix(600, 512, 2)).toMatchObject({ short: 512, width: 8, whole: 600 * 512 * 8 });
  expect(heldMatrix(513, 600, 2)).toMatchObject({ short: 513, width: 4, whole: 513 * 600 * 4 });
  expect(describeHeld({ shape: [3, 5] }, 2)).toEqual(heldMatrix(3, 5, 2));
  for (const shape of [[], [3], [3, 5, 1]]) expect(describeHeld({ shape }, 2)).toBeUndefined();
});

const SMALL = heldMatrix(3, 5, 2);
const LONG = heldMatrix(2052, 513, 2);

test.each<[string, () => number, number]>([
  ["two directions on each side: 2 (3 + 5) numbers of 8 bytes", () => directionBytes(SMALL, 2), 128],
  [
    "polar factor: four matrices and three squares of 3",
    () => polarBytes(heldMatrix(5, 3, 2)),
    4 * 120 + 3 * 72,
  ],
  ["polar factor of a wide matrix: two more to transpose it", () => polarBytes(SMALL), 6 * 120 + 3 * 72],
  [
    "polar factor of a long matrix in f32: the matrix and squares of 48 bytes an element",
    () => polarBytes(LONG),
    4 * 2052 * 513 + 48 * 513 ** 2,
  ],
  [
    "polar factor of a matrix twice as long as wide, which is long",
    () => polarBytes(heldMatrix(513, 1026, 2)),
    4 * 1026 * 513 + 48 * 513 ** 2,
  ],
  [
    "polar factor of a matrix that is just not long",
    () => polarBytes(heldMatrix(1025, 513, 2)),
    4 * (4 * 1025 * 513) + 3 * 4 * 513 ** 2,
  ],
  [
    "two singular vectors: directions, lines twice, and 2.5 squares and 8 rows of 3 in f64",
    () => singularBytes(SMALL, 2),
    128 + 2 * 8 * 5 * 3 + 8 * (2.5 * 9 + 8 * 3),
  ],
  [
    "singular vectors of a long matrix: 1,024 lines at a time",
    () => singularBytes(LONG, 1),
    4 * (2052 + 513) + 2 * 8 * 1024 * 513 + 8 * (2.5 * 513 ** 2 + 4 * 513),
  ],
  [
    "joining: directions twice, a matrix and a square that are not freed yet, and a polar factor",
    () => joinBytes(SMALL),
    2 * directionBytes(SMALL, 3) + (120 + 72) + polarBytes(heldMatrix(5, 3, 2)),
  ],
  [
    "joining of a very long matrix: the products, which are larger than the polar factor",
    () => joinBytes(heldMatrix(4000, 513, 2)),
    2 * 4 * 513 * 4513 + (4 * 4000 * 513 + 8 * 513 ** 2) + 12 * 4000 * 513,
  ],
])("bytes of %s", (_what, bytesOf, expected) => {
  expect(bytesOf()).toBe(expected);
});

test("as much memory is needed for a matrix as for its transpose, but for the copies of a polar factor", () => {
  const transpose = ({ rows, columns, networks }: HeldMatrix) => heldMatrix(columns, rows, networks);
  for (const matrix of [SMALL, LONG]) {
    expect(singularBytes(transpose(matrix), 3)).toBe(singularBytes(matrix, 3));
    expect(directionBytes(transpose(matrix), 3)).toBe(directionBytes(matrix, 3));
  }
  expect(polarBytes(transpose(LONG))).toBe(polarBytes(LONG));
});
