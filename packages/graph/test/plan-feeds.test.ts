import { createTensor, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { type DataSet, type Graph, planFeeds, type ValueInfo } from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

/** A graph of inputs alone. */
const graphOf = (...inputs: readonly ValueInfo[]): Graph => ({ ...new GraphBuilder().build("net"), inputs });

const ids = (...shape: (number | string)[]): ValueInfo => ({ name: "input_ids", dtype: "i64", shape });
const mask = (dtype: "i64" | "f32" | "bool" = "i64"): ValueInfo => ({
  name: "attention_mask",
  dtype,
  shape: ["N", "L"],
});

function textsOf(features: Record<string, Tensor> = {}, name?: string): DataSet {
  const tokens = createTensor("i32", [3, 2], Int32Array.of(1, 2, 3, 4, 5, 6));
  return createDataSet(tokens, undefined, {
    name: "texts",
    inputName: name,
    features: new Map(Object.entries(features)),
  });
}

const given = createTensor("bool", [3, 2], Uint8Array.of(1, 0, 1, 1, 1, 1));
const numbersOf = (tensor: Tensor | undefined) =>
  Array.from(tensor?.data as ArrayLike<number | bigint>, Number);

describe("planFeeds()", () => {
  test("feeds arrays by the names of inputs, in the types that the graph has", () => {
    const plan = planFeeds(
      "run",
      graphOf(mask("f32"), ids("N", "L")),
      textsOf({ attention_mask: given }, "input_ids"),
      2,
    );
    const { feeds, examples, rows } = plan.read(plan.ranges[1]!);
    expect({ examples, rows, ranges: plan.ranges }).toEqual({
      examples: 1,
      rows: 1,
      ranges: [
        { begin: 0, end: 2 },
        { begin: 2, end: 3 },
      ],
    });
    expect(feeds.get("attention_mask")).toEqual(createTensor("f32", [1, 2], Float32Array.of(1, 1)));
    expect(feeds.get("input_ids")).toEqual(createTensor("i64", [1, 2], BigInt64Array.of(5n, 6n)));
    expect(plan).toMatchObject({ examples: "input_ids", extents: { L: 2 }, filled: [], unread: [] });
  });

  test("takes the inputs of the data for the one input that is left, whatever they are called", () => {
    const plan = planFeeds("run", graphOf({ ...ids("N", 2), name: "tokens" }, mask()), textsOf({}, "x"), 9);
    expect(plan.examples).toBe("tokens");
    expect(plan.filled).toEqual([{ name: "attention_mask", filling: "ones" }]);
    const only = planFeeds("run", graphOf(mask()), textsOf(), 9);
    expect(only.examples).toBe("attention_mask");
  });

  test("fills in what exporters of language models add", () => {
    const added: ValueInfo[] = [
      mask("bool"),
      { name: "position_ids", dtype: "i64", shape: ["N", "L"] },
      { name: "token_type_ids", dtype: "i32", shape: ["N", "L"] },
      { name: "cache_position", dtype: "i64", shape: ["L"] },
    ];
    const plan = planFeeds("run", graphOf(ids("N", "L"), ...added), textsOf(), 2);
    const { feeds } = plan.read({ begin: 0, end: 2 });
    expect(numbersOf(feeds.get("attention_mask"))).toEqual([1, 1, 1, 1]);
    expect(numbersOf(feeds.get("position_ids"))).toEqual([0, 1, 0, 1]);
    expect(feeds.get("token_type_ids")).toEqual(createTensor("i32", [2, 2], new Int32Array(4)));
    expect(feeds.get("cache_position")).toEqual(createTensor("i64", [2], BigInt64Array.of(0n, 1n)));
    expect(plan.filled.map(({ filling }) => filling)).toEqual(["ones", "positions", "zeros", "positions"]);
  });

  test("fills up a batch by its last example, and tells of what it does not read", () => {
    const plan = planFeeds("run", graphOf(ids(2, 2)), textsOf({ attention_mask: given }), 100);
    expect(plan).toMatchObject({ fixedBatch: 2, unread: ["attention_mask"] });
    const { feeds, examples, rows, batch } = plan.read(plan.ranges[1]!);
    expect({ examples, rows }).toEqual({ examples: 1, rows: 2 });
    expect(numbersOf(feeds.get("input_ids"))).toEqual([5, 6, 5, 6]);
    expect([...batch.labels]).toEqual([5, 6]);
  });

  const refusals: readonly (readonly [string, Graph, RegExp])[] = [
    [
      "an input there is nothing for",
      graphOf(ids("N", 2), { name: "pixels", dtype: "f32", shape: ["N", 3] }),
      /nothing for "pixels"; its inputs are "input_ids" \(i64 \[N, 2\]\), "pixels" \(f32 \[N, 3\]\), the arrays "input_ids" \(i32 \[N, 2\]\); name arrays after inputs/,
    ],
    [
      "texts that are too long",
      graphOf(ids("N", 1)),
      /they are i32 \[2\]; cut texts to 1 tokens, or export the graph for 2$/,
    ],
    ["texts that are too short", graphOf(ids("N", 5)), /pad texts to 5 tokens under an attention mask/],
    ["numbers for whole ones", graphOf({ ...ids("N", 2), dtype: "f32" }), /f32 \[2\]: they are i32 \[2\]$/],
  ];
  test.each(refusals)("refuses %s", (_, graph, message) => {
    expect(() => planFeeds("run", graph, textsOf({}, "input_ids"), 1)).toThrow(message);
  });

  test("refuses numbers beyond the table that they are looked up in", () => {
    const b = new GraphBuilder();
    const looked = b.op("Gather", [b.weight("words", [6, 4]), b.input("ids", [2], "i64")]);
    const graph = b.output(looked).build("net");
    const plan = planFeeds("run", graph, textsOf(), 2);
    expect(() => plan.read({ begin: 0, end: 2 })).not.toThrow();
    expect(() => plan.read({ begin: 2, end: 3 })).toThrow(
      /fed to "ids" must be from 0 to 5, the rows of its table in graph "net": there is 6 at position 1 of an example/,
    );
  });

  test("recognises images with their channels last", () => {
    const images = createDataSet(
      createTensor("f32", [2, 4, 5, 3], new Float32Array(120)),
      Int32Array.of(0, 1),
    );
    const graph = graphOf({ name: "image", dtype: "f32", shape: ["N", 3, 4, 5] });
    expect(() => planFeeds("run", graph, images, 1)).toThrow(
      /"image", f32 \[3, 4, 5\]: they are f32 \[4, 5, 3\]: channels last; transpose the examples to \[3, 4, 5\]$/,
    );
    const other = graphOf({ name: "image", dtype: "f32", shape: ["N", 3, 4, 6] });
    expect(() => planFeeds("run", other, images, 1)).toThrow(/they are f32 \[4, 5, 3\]$/);
  });
});
