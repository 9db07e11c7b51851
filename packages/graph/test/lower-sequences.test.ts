import { createRandom, type Random, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, verifySymmetries } from "@isthmus/symmetry";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizesOf } from "../../../test/helpers/examine-symmetries.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { runGraph } from "../../../test/helpers/run-graph.ts";
import { lowerSequences } from "../src/lower/lower-sequences.ts";

const engine = createOnnxRuntimeEngine();

const ROWS = 6;

/** A whole number `[]`. */
const whole = (b: GraphBuilder, value: number): string => b.constant([value], [], true);

/** A sequence of `count` tensors, all of one shape `[2, extent]` or, without the axis that was split, `[2]`. */
interface Made {
  readonly name: string;
  readonly count: number;
  readonly isEven: boolean;
  /** Whether its tensors have both axes. */
  readonly isWhole: boolean;
}

/** A sequence cut from `x [2, 6]`, or put together, in one of the ways there are. */
function anySequence(b: GraphBuilder, random: Random, x: string): Made {
  const axis = [1, -1][random.integer(2)] ?? 1;
  const cut = (inputs: readonly string[], more: object) =>
    b.op("SplitToSequence", [x, ...inputs], { axis, ...more });
  switch (random.integer(5)) {
    case 0: {
      const length = 1 + random.integer(ROWS);
      return {
        name: cut([whole(b, length)], {}),
        count: Math.ceil(ROWS / length),
        isEven: ROWS % length === 0,
        isWhole: true,
      };
    }
    case 1:
      return { name: cut([b.ints(1, 3, 2)], {}), count: 3, isEven: false, isWhole: true };
    case 2:
      return { name: cut([], { keepdims: 0 }), count: ROWS, isEven: true, isWhole: false };
    case 3:
      return { name: cut([], {}), count: ROWS, isEven: true, isWhole: true };
    default: {
      const count = 1 + random.integer(3);
      const parts = Array.from({ length: count }, () =>
        b.op(["Relu", "Neg", "Exp"][random.integer(3)] ?? "Neg", [x]),
      );
      const empty = random.integer(2) === 0;
      const start = empty ? b.op("SequenceEmpty", []) : b.op("SequenceConstruct", parts);
      const name = empty ? parts.reduce((list, part) => b.op("SequenceInsert", [list, part]), start) : start;
      return { name, count, isEven: true, isWhole: true };
    }
  }
}

/** A list with one tensor more, which must be of the shape of the others, or with one less. */
function change(b: GraphBuilder, random: Random, made: Made, x: string): Made {
  const place = random.integer(2 * made.count) - made.count;
  if (random.integer(2) === 0 && made.count > 1) {
    const places = random.integer(2) === 0 ? [] : [whole(b, place)];
    return { ...made, name: b.op("SequenceErase", [made.name, ...places]), count: made.count - 1 };
  }
  const inputs = random.integer(2) === 0 ? [made.name, x] : [made.name, x, whole(b, place)];
  return { ...made, name: b.op("SequenceInsert", inputs), count: made.count + 1 };
}

/** Everything that can be read from a sequence: some of its tensors, their number, all of them joined. */
function read(b: GraphBuilder, random: Random, { name, count, isEven, isWhole }: Made): void {
  const place = random.integer(2 * count) - count;
  b.output(b.op("SequenceAt", [name, whole(b, place)]));
  b.output(b.op("SequenceLength", [name]));
  b.output(b.op("Neg", [b.op("SequenceAt", [name, whole(b, random.integer(count))])]));
  if (isWhole) b.output(b.op("ConcatFromSequence", [name], { axis: 1, new_axis: 0 }));
  if (isEven)
    b.output(b.op("ConcatFromSequence", [name], { axis: [0, 1, -1][random.integer(3)] ?? 0, new_axis: 1 }));
}

describe("lowerSequences()", () => {
  test("lowerSequences() leaves what a graph computes, and no sequence that is known", async () => {
    const law = async (seed: number) => {
      const random = createRandom(seed, "sequences");
      const b = new GraphBuilder(17);
      const x = b.input("x", [ROWS]);
      const made = anySequence(b, random, x);
      // Lists that were written down can be changed; of what is cut, only if its length is not asked for.
      const list =
        made.name.startsWith("Sequence") && random.integer(2) === 0 ? change(b, random, made, x) : made;
      read(b, random, list);
      const graph = b.build();
      const feeds = new Map<string, Tensor>([
        [
          "x",
          {
            dtype: "f32",
            shape: [2, ROWS],
            data: Float32Array.from({ length: 2 * ROWS }, () => random.normal()),
          },
        ],
      ]);
      const [expected, results] = [
        await runGraph(graph, feeds),
        await runGraph(lowerSequences(graph), feeds),
      ];
      for (const [name, tensor] of expected)
        expect(results.get(name), `${name}, seed ${seed}`).toEqual(tensor);
    };
    await fc.assert(fc.asyncProperty(fc.nat({ max: 2 ** 31 - 1 }), law), { numRuns: 150, seed: 1 });
  });

  test("lowerSequences() leaves no sequence where lengths and places are constants", () => {
    const b = new GraphBuilder(17);
    const parts = b.op("SplitToSequence", [b.input("x", [6]), whole(b, 3)], { axis: 1 });
    const [first, second] = [0, 1].map((place) => b.op("SequenceAt", [parts, whole(b, place)]));
    const graph = b.output(b.op("Mul", [first ?? "", second ?? ""])).build();
    expect(lowerSequences(graph).nodes.map(({ op }) => op)).toEqual(["Slice", "Slice", "Mul"]);
  });

  test("lowerSequences() leaves a sequence alone that is read at a computed place", async () => {
    const b = new GraphBuilder(17);
    const x = b.linear(b.input("x", [5]), "embed", 5, 6);
    const parts = b.op("SplitToSequence", [x, whole(b, 3)], { axis: 1 });
    const place = b.op("ArgMax", [b.op("ReduceSum", [x, b.ints(0)], { keepdims: 0 })], {
      keepdims: 0,
      axis: 0,
    });
    const half = b.op("SequenceAt", [parts, b.op("Div", [place, whole(b, 3)])]);
    const graph = b.output(b.linear(half, "head", 3, 2)).build();
    expect(lowerSequences(graph).nodes).toEqual(graph.nodes);
    const found = await discoverSymmetries({ graph, engine });
    expect(found.spec.symmetries).toEqual([]);
    expect(found.spec.unknown.map(({ op }) => op)).toEqual(["SplitToSequence", "SequenceAt"]);
    expect(await verifySymmetries({ graph, engine }, found, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("discoverSymmetries() finds halves of a gate behind a sequence", async () => {
    const b = new GraphBuilder(17);
    const x = b.linear(b.input("x", [5]), "up", 5, 8);
    const parts = b.op("SplitToSequence", [x, b.ints(4, 4)], { axis: -1 });
    const [gate, value] = [0, 1].map((place) => b.op("SequenceAt", [parts, whole(b, place)]));
    const graph = b
      .output(b.linear(b.op("Mul", [b.op("Sigmoid", [gate ?? ""]), value ?? ""]), "head", 4, 2))
      .build();
    expect(await sizesOf(lowerSequences(graph))).toEqual(["4"]);
  });
});
