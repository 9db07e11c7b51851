import {
  type BarrierDecomposition,
  type DecomposeBarrierOptions,
  decomposeBarrier,
  groupLayers,
  type MeasureBarrierOptions,
  measureBarrier,
  measureLayers,
} from "@isthmus/barrier";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { lerp, mergeLayers } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallMlp();
const ends = [randomNetwork(graph, 1), randomNetwork(graph, 2)] as const;
const examples = (seed: number) => randomExamples([6], { size: 50, classes: 4, seed });
const data = examples(3);

const decompose = (options: DecomposeBarrierOptions = {}, on = data) =>
  decomposeBarrier({ graph, engine }, ends, on, options);
const measure = (options: MeasureBarrierOptions = {}, on = data) =>
  measureBarrier({ graph, engine }, ends, on, { points: 3, ...options });

/** Every loss and error that a decomposition is of: what a part changes, and what it was before. */
const changes = ({ parts, ends: { a, b }, midpoint }: BarrierDecomposition) =>
  parts.map(({ part, averaged, putBack }) => ({
    part,
    inA: a.loss + averaged.a.loss,
    inB: b.loss + averaged.b.loss,
    ofA: midpoint.loss + putBack.a.loss,
    ofB: midpoint.loss + putBack.b.loss,
  }));

describe("decomposeBarrier()", () => {
  test("takes apart what measureBarrier() measures half-way, with temperatures and without", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 99 }), async (seed) => {
        const on = examples(seed);
        const { barrier, points, tempered } = await measure({ temperature: true }, on);
        const plain = await decompose({}, on);
        expect(plain.excess).toEqual({ loss: barrier.loss.midpoint, error: barrier.error.midpoint });
        expect([plain.ends.a, plain.midpoint, plain.ends.b]).toEqual(
          points.map(({ t, ...values }) => values),
        );
        expect(plain).not.toHaveProperty("tempered");
        const other = await decompose({ temperature: true }, on);
        expect(other.excess).toEqual({ loss: tempered?.barrier.midpoint, error: barrier.error.midpoint });
        expect(other.tempered).toEqual({ data: "random", examples: 50 });
        for (const { excess, byExample } of [plain, other]) {
          expect(byExample.rise - byExample.fall).toBeCloseTo(excess.loss, 12);
          expect(byExample.cumulative.at(-1)?.excess).toBeCloseTo(excess.loss, 12);
        }
      }),
      { numRuns: 3 },
    );
  });

  test("has one part of everything whose average is the midpoint, and which put back is an end", async () => {
    const one = await decompose({ groups: [{ name: "whole", patterns: ["*"] }] });
    const { midpoint, ends: whole } = one;
    expect(one.parts).toHaveLength(1);
    const [all] = changes(one);
    expect(all?.part).toBe("whole");
    expect(all?.inA).toBeCloseTo(midpoint.loss, 14);
    expect(all?.inB).toBeCloseTo(midpoint.loss, 14);
    expect(all?.ofA).toBeCloseTo(whole.a.loss, 14);
    expect(all?.ofB).toBeCloseTo(whole.b.loss, 14);
    expect(one.parts[0]?.elements).toBe(6 * 16 + 16 + 16 * 12 + 12 + 12 * 4 + 4);
  });

  test("of two parts puts one back by averaging the other", async () => {
    const halves = [
      { name: "first", patterns: ["l0"] },
      { name: "rest", patterns: ["l1", "l2"] },
    ];
    const [first, rest] = changes(await decompose({ groups: halves }));
    expect(first?.ofA).toBeCloseTo(rest?.inA ?? Number.NaN, 14);
    expect(first?.ofB).toBeCloseTo(rest?.inB ?? Number.NaN, 14);
    expect(rest?.ofA).toBeCloseTo(first?.inA ?? Number.NaN, 14);
  });

  test("averages parts as measureLayers() does, and puts back what mergeLayers() merges", async () => {
    const { layers } = await measureLayers({ graph, engine }, ends, data, { points: 3 });
    const parts = changes(await decompose());
    expect(parts.map(({ part }) => part)).toEqual(["l0", "l1", "l2"]);
    for (const [index, { part, inA, inB, ofA, ofB }] of parts.entries()) {
      expect(inA).toBeCloseTo(layers[index]?.a.points[1]?.loss ?? Number.NaN, 14);
      expect(inB).toBeCloseTo(layers[index]?.b.points[1]?.loss ?? Number.NaN, 14);
      for (const [share, loss] of [
        [0, ofA],
        [1, ofB],
      ] as const) {
        const shares = new Map([
          [part, share],
          ["*", 0.5],
        ]);
        const merged = await evaluateNetwork({ graph, data }, mergeLayers(...ends, shares));
        expect(loss).toBeCloseTo(merged.loss, 14);
      }
    }
  });

  test("finds nothing between a network and itself", async () => {
    const { excess, parts, byExample } = await decomposeBarrier({ graph, engine }, [ends[0], ends[0]], data);
    const none = { loss: 0, error: 0 };
    expect(excess).toEqual(none);
    for (const { averaged, putBack } of parts)
      expect([averaged, putBack]).toEqual([
        { a: none, b: none },
        { a: none, b: none },
      ]);
    expect([byExample.rising, byExample.rise, byExample.fall]).toEqual([0, 0, 0]);
  });

  test("corrects every network but A and B", async () => {
    const normed = smallCnn();
    const networks = [randomNetwork(normed, 1), randomNetwork(normed, 2)] as const;
    const images = randomExamples([2, 4, 4], { size: 30, classes: 3 });
    const architecture = { graph: normed, engine };
    const result = await decomposeBarrier(architecture, networks, images);
    const middle = await recalibrateBatchNorm(architecture, lerp(...networks, 0.5), images);
    expect(result.midpoint.loss).toBe((await evaluateNetwork({ graph: normed, data: images }, middle)).loss);
    expect(result.ends.a.loss).toBe(
      (await evaluateNetwork({ graph: normed, data: images }, networks[0])).loss,
    );
    expect(result).toMatchObject({ statistics: "recalibrate", statisticsExamples: 30 });
    const groups = [{ name: "whole", patterns: ["*"] }];
    const repaired = await decomposeBarrier(architecture, networks, images, { statistics: "repair", groups });
    expect(repaired.midpoint).not.toEqual(result.midpoint);
  });

  test("takes blocks for parts, and tells how far it is", async () => {
    const seen: number[] = [];
    const b = new GraphBuilder();
    const hidden = b.linear(b.linear(b.input("x", [6]), "h.0.attn.q", 6, 5), "h.0.mlp", 5, 5);
    const blocks: Graph = b.output(b.linear(b.linear(hidden, "h.1.mlp", 5, 5), "head", 5, 4)).build();
    const networks = [randomNetwork(blocks, 1), randomNetwork(blocks, 2)] as const;
    const { parts } = await decomposeBarrier({ graph: blocks, engine }, networks, data, {
      by: "block",
      onProgress: ({ completed, total, done }) => {
        expect(done).toBe(completed / total);
        seen.push(total);
      },
    });
    expect(parts.map(({ part }) => part)).toEqual(["h.0", "h.1", "head"]);
    expect(seen).toEqual(Array.from({ length: 3 + 4 * 3 }, () => 15));
    expect(groupLayers(blocks).map(({ name }) => name)).toEqual(["h.0.attn.q", "h.0.mlp", "h.1.mlp", "head"]);
  });

  test.each<[string, DecomposeBarrierOptions]>([
    ["by", { by: "tensor" as "layer" }],
    ["worst", { worst: -1 }],
    ["worst", { worst: 0.5 }],
    ["batchSize", { batchSize: 0 }],
    ["statistics", { statistics: "repair-closed-form" }],
  ])("refuses %s out of range: %o", async (name, options) => {
    await expect(decompose(options)).rejects.toThrow(RangeError);
    await expect(decompose(options)).rejects.toThrow(`Cannot take a barrier apart as "${name}" must be`);
  });

  test("refuses an option that it does not know, and stops when it is told to", async () => {
    await expect(decompose({ parts: 3 } as DecomposeBarrierOptions)).rejects.toThrow(/no option "parts"/);
    await expect(decompose({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  });
});
