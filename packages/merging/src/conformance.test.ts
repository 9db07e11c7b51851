import { type Checkpoint, createCheckpoint, createTensor, type TensorData } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merge } from "./merge.ts";
import type { MergeMethod } from "./merge-method.ts";
import { MERGE_METHODS } from "./methods.ts";

const SHAPE = [3, 5];
const SIZE = 15;

const floats = fc.array(fc.float({ min: -8, max: 8, noNaN: true, noDefaultInfinity: true }), {
  minLength: SIZE,
  maxLength: SIZE,
});

const network = (values: readonly number[], steps: bigint): Checkpoint =>
  createCheckpoint(
    new Map([
      ["layer.weight", createTensor("f32", SHAPE, new Float32Array(values))],
      ["layer.steps", createTensor("i64", [], new BigInt64Array([steps]))],
    ]),
    { format: "pt" },
    `network ${steps}`,
  );

const countOf = ({ networks: { least, most } }: MergeMethod) => Math.min(most ?? 3, Math.max(least, 3));
/** Values for the parameters that have none of their own. */
const requiredOf = ({ parameters }: MergeMethod) =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([, spec]) => spec.default === undefined)
      .map(([name, { least = 0, most = 1, choices }]) => [name, choices?.[0] ?? (least + most) / 2]),
  );
const baseOf = ({ networks: { base } }: MergeMethod, of: Checkpoint) =>
  base === "required" ? { base: of } : {};

describe.each([...MERGE_METHODS.values()])("method $name", (method) => {
  const count = countOf(method);
  const parameters = requiredOf(method);
  const arbitrary = fc.array(floats, { minLength: count + 1, maxLength: count + 1 });

  test("says what it is, where it is from, and what its parameters mean", () => {
    expect(method.description).toMatch(/^[A-Z].*\.$/);
    expect(method.source).toMatch(/\d{4}/);
    for (const { description } of Object.values(method.parameters))
      expect(description).toMatch(/^[A-Z].*\.$/);
  });

  test("merge(x, x) is x, bit for bit", () =>
    fc.assert(
      fc.asyncProperty(floats, async (values) => {
        const x = network(values, 1n);
        const merged = merge(Array<Checkpoint>(count).fill(x), { method, parameters, ...baseOf(method, x) });
        expect(await merged.read("layer.weight")).toEqual(await x.read("layer.weight"));
      }),
    ));

  test("gives the same however a tensor is cut into ranges", () =>
    fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 0, max: SIZE }), async (all, cut) => {
        const [base, ...networks] = all.map((values, i) => network(values, BigInt(i)));
        if (base === undefined) return;
        const merged = merge(networks, { method, parameters, ...baseOf(method, base) });
        const whole = await merged.read("layer.weight").catch((error: Error) => error);
        // Some methods refuse some tensors, as an arc between opposite ones, whatever the range.
        if (whole instanceof Error) return;
        const parts = await Promise.all([
          merged.readRange("layer.weight", cut, SIZE),
          merged.readRange("layer.weight", 0, cut),
        ]);
        const joined = parts.reverse().flatMap((part: TensorData) => [...part]);
        expect(new Float32Array(joined as number[])).toEqual(whole.data);
      }),
    ));

  test("keeps integers of one network, names, types and metadata", async () => {
    const networks = Array.from({ length: count }, (_, i) => network(Array(SIZE).fill(i + 1), BigInt(i)));
    const [first = network([], 0n)] = networks;
    const merged = merge(networks, { method, parameters, ...baseOf(method, first) });
    expect([...merged.tensors]).toEqual([...first.tensors]);
    expect(merged.metadata).toEqual(first.metadata);
    const [steps] = (await merged.read("layer.steps")).data;
    expect(networks.map((_, i) => BigInt(i))).toContain(steps);
  });

  test("reads nothing before it is read", () => {
    const unread: Checkpoint = {
      ...network(Array(SIZE).fill(0), 0n),
      readRangeInto: async () => expect.fail("read"),
    };
    expect(
      merge(Array<Checkpoint>(count).fill(unread), { method, parameters, ...baseOf(method, unread) }),
    ).toBeDefined();
  });

  test("refuses unknown parameters, and too few networks", () => {
    const x = network(Array(SIZE).fill(0), 0n);
    const networks = Array<Checkpoint>(count).fill(x);
    expect(() =>
      merge(networks, { method, ...baseOf(method, x), parameters: { ...parameters, wieght: 1 } }),
    ).toThrow(/there is no parameter "wieght"/);
    expect(() => merge([], { method, ...baseOf(method, x) })).toThrow(/Cannot merge by/);
  });
});
