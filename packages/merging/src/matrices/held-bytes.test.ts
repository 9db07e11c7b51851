import { type Checkpoint, defineCheckpoint } from "@isthmus/core";
import { expect, test } from "vitest";
import { estimateMerge } from "../executor/estimate-merge.ts";
import { planMerge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";

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
