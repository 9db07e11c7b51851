import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  createTensor,
  type DType,
  toFloat64,
} from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { remapVocabulary } from "./remap-vocabulary.ts";
import type { VocabularyPlan } from "./vocabulary-plan.ts";

/** A plan from the rows of each network, without files. */
function planOf(rows: readonly (readonly number[])[], options: Partial<VocabularyPlan> = {}): VocabularyPlan {
  const tokens = (rows[0] ?? []).map((_, id) => `token ${id}`);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  return {
    ...{ tokens, size: tokens.length, base: undefined, rows: new Map(), notes: [] },
    networks: rows.map((row, i) => {
      return { name: `n${i}`, directory: `n${i}`, rows: Int32Array.from(row), size: 99, ids };
    }),
    tokenizer: {
      ...{ directory: "n0", ids, added: [], removed: new Set<string>(), changed: false },
      ...{ document: undefined, settings: {} },
    },
    ...options,
  };
}

function network(shape: readonly number[], start = 0, dtype: DType = "f32"): Checkpoint {
  const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i);
  return createCheckpoint({ w: createTensor(dtype, shape, convertData(numbers, "f32", dtype)) });
}

const rowsAxis = [new Map([["w", 0]])];

describe("remapVocabulary()", () => {
  it("rounds means of rows to the type of the result, not to that of the networks", async () => {
    const plan = planOf([[0, 1, 2]], { size: 4 });
    const meanOf = async (dtype?: DType) => {
      const [view] = remapVocabulary([network([3, 1], 256, "bf16")], rowsAxis, { ...plan, dtype });
      const { data, dtype: stored } = (await view?.read("w")) ?? expect.fail("no network");
      return [stored, toFloat64(data, stored)[3]];
    };
    // 257 is no number of bf16: the rows are 256, 256 and 258.
    expect(await meanOf()).toEqual(["bf16", 256]);
    expect(await meanOf("bf16")).toEqual(["bf16", 256]);
    expect(await meanOf("f32")).toEqual(["f32", Math.fround(770 / 3)]);
  });

  it("puts rows in order on any axis, and reads any range as the whole tensor has it", async () => {
    const shapes = fc.constantFrom([6, 4] as const, [4, 6] as const, [6] as const, [2, 6, 3] as const);
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 1 }),
        fc.nat(),
        async (shape, rows, cut) => {
          const axis = shape.indexOf(6 as never);
          const plan = planOf([rows], { size: rows.length + 2 });
          const input = network(shape, 1);
          const [view] = remapVocabulary([input], [new Map([["w", axis]])], plan);
          const whole = (await view?.read("w"))?.data as Float32Array;
          const before = shape.slice(0, axis).reduce((a: number, b) => a * b, 1);
          const after = shape.slice(axis + 1).reduce((a: number, b) => a * b, 1);
          const source = (await input.read("w")).data as Float32Array;
          for (let outer = 0; outer < before; outer++) {
            for (let k = 0; k < after; k++) {
              const column = rows.map((row) =>
                row < 0 ? 0 : (source[(outer * 6 + row) * after + k] ?? Number.NaN),
              );
              const mean = column.reduce((a, b) => a + b, 0) / rows.length;
              const expected = [...column, mean, mean];
              for (const [id, value] of expected.entries()) {
                expect(whole[(outer * (rows.length + 2) + id) * after + k]).toBeCloseTo(value, 4);
              }
            }
          }
          const begin = cut % whole.length;
          const part = await view?.readRange("w", begin, Math.min(whole.length, begin + 7));
          expect(part).toEqual(whole.slice(begin, begin + 7));
        },
      ),
    );
  });

  it("fills rows from the base, the only network that has them, or the mean of all that have them", async () => {
    const rows = [
      [0, -1, -1, -1],
      [1, 0, 0, -1],
      [2, 2, -1, -1],
    ];
    const networks = rows.map((_, i) => network([3, 2], 10 * i));
    const axes = [...rowsAxis, ...rowsAxis, ...rowsAxis];
    const read = async (plan: VocabularyPlan) =>
      (await remapVocabulary(networks, axes, plan)[0]?.read("w"))?.data;
    expect(await read(planOf(rows))).toEqual(Float32Array.of(0, 1, 17, 18, 10, 11, 0, 0));
    expect(await read(planOf(rows, { base: 2 }))).toEqual(Float32Array.of(0, 1, 24, 25, 10, 11, 0, 0));
  });

  it("keeps bits of bf16, and holds rows of several types in one that has them all", async () => {
    const rows = [
      [2, 0, -1],
      [0, 1, 2],
    ];
    const bf16 = network([3, 2], 0, "bf16");
    const axes = [...rowsAxis, ...rowsAxis];
    const [same] = remapVocabulary([bf16, network([3, 2], 6, "bf16")], axes, planOf(rows));
    const tensor = await same?.read("w");
    expect(tensor?.dtype).toBe("bf16");
    expect([...toFloat64(tensor?.data ?? new Uint16Array(), "bf16")]).toEqual([4, 5, 0, 1, 10, 11]);
    const [mixed] = remapVocabulary([bf16, network([3, 2], 0.1, "f32")], axes, planOf(rows));
    expect(await mixed?.read("w")).toMatchObject({
      dtype: "f32",
      data: Float32Array.of(4, 5, 0, 1, Math.fround(4.1), Math.fround(5.1)),
    });
  });

  it("leaves tensors alone that have no axis of tokens", async () => {
    const [view] = remapVocabulary([network([3, 2])], [new Map()], planOf([[1]]));
    expect((await view?.read("w"))?.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
  });

  it.each([
    [[network([3, 2]), network([3, 4])], /other axes than that of tokens must agree: \[3, 2\], \[3, 4\]/],
    [[network([3, 2]), network([1, 2])], /it has 1 rows and a token of id 2; correct vocab_size/],
  ])("refuses networks that do not fit %#", (networks, message) => {
    const plan = planOf([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(() => remapVocabulary(networks, [...rowsAxis, ...rowsAxis], plan)).toThrow(message);
  });

  it("refuses a row from a network that lacks the tensor", () => {
    const rows = new Map([[0, { source: { network: 1, row: 0 }, force: true }]]);
    const other = createCheckpoint({ v: createTensor("f32", [1], new Float32Array(1)) });
    expect(() =>
      remapVocabulary([network([3, 2]), other], [...rowsAxis, new Map()], planOf([[0], [0]], { rows })),
    ).toThrow('Cannot fill the row of "token 0" from "n1" as it must have the tensor');
    const unnamed = new Map([[0, { source: undefined, force: true }]]);
    expect(() => remapVocabulary([network([3, 2])], rowsAxis, planOf([[0]], { rows: unnamed }))).toThrow(
      "give it a source, such as a network or {kind: zero}",
    );
  });
});
