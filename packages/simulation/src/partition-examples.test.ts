import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClientExamples, partitionExamples } from "./partition-examples.ts";
import { PARTITIONS } from "./partitions.ts";

/** Makes examples whose classes take turns. */
function dataOf(size: number, classes = 10) {
  const labels = Int32Array.from({ length: size }, (_, i) => (i * 7) % classes);
  return createDataSet(createTensor("f32", [size, 1], new Float32Array(size)), labels, {
    name: "d",
    classes,
  });
}

function divide(
  name: string,
  { size = 1000, clients = 10, seed = 0, ...parameters }: Readonly<Record<string, number>> = {},
): readonly ClientExamples[] {
  const scheme = PARTITIONS.get(name);
  if (scheme === undefined) throw new Error(`there is no partition ${name}`);
  return partitionExamples(dataOf(size), { scheme, parameters, clients, seed });
}

const sizesOf = (clients: readonly ClientExamples[]) => clients.map(({ positions }) => positions.length);
const classesOf = ({ labels }: ClientExamples) => labels.filter((count) => count > 0).length;

describe("partitionExamples()", () => {
  it.each([...PARTITIONS.keys()])("partitionExamples() by %s gives each example to one client", (name) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 400, max: 900 }),
        fc.integer({ min: 5, max: 9 }),
        fc.nat(),
        (size, clients, seed) => {
          const parts = divide(name, { size, clients, seed, ...(name === "dirichlet" && { alpha: 5 }) });
          expect(parts).toHaveLength(clients);
          const all = parts.flatMap(({ positions }) => [...positions]).sort((a, b) => a - b);
          expect(all).toEqual(Array.from({ length: size }, (_, i) => i));
          for (const { positions, labels } of parts) {
            expect(labels.reduce((sum, count) => sum + count, 0)).toBe(positions.length);
          }
          expect(divide(name, { size, clients, seed, ...(name === "dirichlet" && { alpha: 5 }) })).toEqual(
            parts,
          );
        },
      ),
      { numRuns: 10 },
    );
  });

  it("partitionExamples() by iid deals evenly, by another order for another seed", () => {
    expect(sizesOf(divide("iid", { size: 103 }))).toEqual([11, 11, 11, ...new Array(7).fill(10)]);
    expect(divide("iid", { seed: 1 })).not.toEqual(divide("iid", { seed: 0 }));
  });

  it("partitionExamples() by dirichlet gives every client the least number, and skews by alpha", () => {
    const skewed = divide("dirichlet", { alpha: 0.1, least: 12 });
    expect(Math.min(...sizesOf(skewed))).toBeGreaterThanOrEqual(12);
    const shareOfLargest = (parts: readonly ClientExamples[]) =>
      parts.reduce((sum, { labels, positions }) => sum + Math.max(...labels) / positions.length, 0) /
      parts.length;
    expect(shareOfLargest(skewed)).toBeGreaterThan(0.45);
    expect(shareOfLargest(divide("dirichlet", { alpha: 1000 }))).toBeLessThan(0.15);
  });

  it("partitionExamples() says when the least number is not to be had", () => {
    expect(() => divide("dirichlet", { least: 101 })).toThrow(/each is to have 101: there are too few/);
    expect(() => divide("dirichlet", { alpha: 0.001, least: 50, clients: 11 })).toThrow(
      /none of 10000 draws gave that/,
    );
  });

  it("partitionExamples() by shards and by label gives few classes", () => {
    for (const part of divide("shards", { shards: 2 })) expect(classesOf(part)).toBeLessThanOrEqual(4);
    const byLabel = divide("label", { labels: 3, clients: 7 });
    for (const part of byLabel) expect(classesOf(part)).toBe(3);
    const holders = Array.from(
      { length: 10 },
      (_, label) => byLabel.filter(({ labels }) => labels[label]).length,
    );
    expect([...new Set(holders)].sort()).toEqual([2, 3]);
  });

  it("partitionExamples() refuses what cannot be divided", () => {
    expect(() => divide("label", { labels: 2, clients: 4 })).toThrow(
      /each of the 10 classes must have a client/,
    );
    expect(() => divide("label", { labels: 11 })).toThrow(/there are 10 classes/);
    expect(() => divide("shards", { size: 15 })).toThrow(/there are 15 for 20 shards/);
    expect(() => divide("iid", { size: 5, clients: 10 })).toThrow(/client-5 has none/);
    expect(() => divide("iid", { clients: 0 })).toThrow(/"clients" must be a whole number of at least 1/);
    expect(() => divide("dirichlet", { alpha: -1 })).toThrow(/divide examples by dirichlet as "alpha"/);
  });

  it("partitionExamples() by feature shift differs in shifts within their limits, and by iid in none", () => {
    const shifts = divide("feature-shift", { rotation: 20, noise: 0.5 }).map(({ shift }) => shift);
    expect(new Set(shifts.map((shift) => shift?.rotation)).size).toBe(10);
    for (const shift of shifts) {
      expect(Math.abs(shift?.rotation ?? Number.NaN)).toBeLessThanOrEqual(20);
      expect(shift?.noise).toBeGreaterThanOrEqual(0);
      expect(shift?.noise).toBeLessThanOrEqual(0.5);
      expect(Math.abs(shift?.brightness ?? Number.NaN)).toBe(0);
    }
    expect(divide("iid").every((part) => !("shift" in part))).toBe(true);
  });
});
