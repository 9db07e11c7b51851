import type { Tensor } from "@isthmus/core";
import type { Engine, Graph, Session } from "@isthmus/graph";
import { add, exp, GraphBuilder, gemm, matMul, mul, relu, sub } from "@isthmus/graph/builder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose } from "./expect-close.ts";

/**
 * Laws of the `Engine` port by name, which adapters keep; an adapter may be excused from some, with the
 * reason.
 */
export type Excuses = Readonly<Record<string, string>>;

const f32 = (shape: readonly number[], ...values: readonly number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});

const empty = (shape: readonly number[]): Tensor =>
  f32(shape, ...Array<number>(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN));

/** `y = relu(x w + b)` and `z = exp(y - 1)` of any batch, with a constant. */
function network(): Graph {
  const builder = new GraphBuilder("net", 17);
  const x = builder.input("x", { dtype: "f32", shape: [1, 2] });
  const w = builder.weight("w", { dtype: "f32", shape: [2, 3] });
  const b = builder.weight("b", { dtype: "f32", shape: [3] });
  const y = builder.rename(relu(gemm(x, w, { bias: b })), "y");
  return builder.build([y, builder.rename(exp(sub(y, 1)), "z")], { batchName: "N" });
}

const WEIGHTS: ReadonlyMap<string, Tensor> = new Map([
  ["w", f32([2, 3], 1, 2, 3, 4, 5, 6)],
  ["b", f32([3], 0, -1, 1)],
]);
const feedsOf = (x: Tensor): Map<string, Tensor> => new Map([...WEIGHTS, ["x", x]]);
const ONE = f32([1, 2], 1, 2);
const Y = [9, 11, 16];

interface Law {
  readonly name: string;
  readonly check: (engine: Engine, session: Session) => Promise<void> | void;
}

const engineError = (engine: Engine) => expect.objectContaining({ _tag: "EngineError", engine: engine.name });

const OUTPUTS: readonly Law[] = [
  {
    name: "returns the outputs by name, in the graph's order",
    check: async (_, session) => {
      const outputs = await session.run(feedsOf(ONE));
      expect([...outputs.keys()]).toEqual(["y", "z"]);
      expect(outputs.get("y")).toEqual(f32([1, 3], ...Y));
      expectClose(outputs.get("z"), f32([1, 3], ...Y.map((value) => Math.exp(value - 1))), 1e-6);
    },
  },
  {
    name: "takes any batch where its extent is symbolic",
    check: async (_, session) => {
      const one = await session.run(feedsOf(f32([3, 2], 1, 2, 0, 0, -1, -1)));
      expect(one.get("y")).toEqual(f32([3, 3], ...Y, 0, 0, 1, 0, 0, 0));
      const other = await session.run(feedsOf(ONE));
      expect(other.get("y")?.shape).toEqual([1, 3]);
    },
  },
  {
    name: "takes an empty batch",
    check: async (_, session) => {
      const outputs = await session.run(feedsOf(f32([0, 2])));
      expect(outputs.get("y")).toEqual(f32([0, 3]));
    },
  },
  {
    name: "ignores tensors the graph does not know",
    check: async (_, session) => {
      const outputs = await session.run(new Map([...feedsOf(ONE), ["other", f32([1], 5)]]));
      expect([...outputs.keys()]).toEqual(["y", "z"]);
    },
  },
  {
    name: "writes into tensors that are given, and allocates the others",
    check: async (_, session) => {
      const y = empty([1, 3]);
      const outputs = await session.run(feedsOf(ONE), new Map([["y", y]]));
      expect(outputs.get("y")).toBe(y);
      expect([...(y.data as Float32Array)]).toEqual(Y);
      expect(outputs.get("z")?.shape).toEqual([1, 3]);
    },
  },
  {
    name: "gives the same bits on every run",
    check: async (_, session) => {
      const x = f32([2, 2], 0.1, 0.7, -0.3, 1 / 3);
      const first = await session.run(feedsOf(x));
      for (let i = 0; i < 3; i++) expect(await session.run(feedsOf(x))).toEqual(first);
    },
  },
  {
    name: "leaves what it is fed alone, and results of earlier runs",
    check: async (_, session) => {
      const feeds = feedsOf(f32([1, 2], 1, 2));
      const first = await session.run(feeds);
      const copy = structuredClone(first);
      await session.run(feedsOf(f32([1, 2], 5, 5)));
      expect(first).toEqual(copy);
      expect(feeds.get("x")).toEqual(ONE);
      expect(feeds.get("w")).toEqual(WEIGHTS.get("w"));
    },
  },
  {
    name: "returns copies, not what it is fed",
    check: async (engine) => {
      const builder = new GraphBuilder("identity", 17);
      const x = builder.input("x", { dtype: "f32", shape: [2] });
      const session = await engine.load(builder.build([builder.rename(x, "y")]));
      const fed = f32([2], 1, 2);
      const outputs = await session.run(new Map([["x", fed]]));
      fed.data[0] = 7;
      expect(outputs.get("y")).toEqual(f32([2], 1, 2));
      await session.release();
    },
  },
  {
    name: "keeps runs apart that are under way together",
    check: async (_, session) => {
      const xs = [1, 2, 3, 4].map((value) => f32([1, 2], value, value));
      const results = await Promise.all(xs.map((x) => session.run(feedsOf(x))));
      const values = results.map((outputs) => [...(outputs.get("y")!.data as Float32Array)]);
      expect(values).toEqual([1, 2, 3, 4].map((k) => [5 * k, 7 * k - 1, 9 * k + 1]));
    },
  },
];

const KINDS: readonly Law[] = [
  {
    name: "uses constants, of the graph as it was loaded",
    check: async (engine) => {
      const builder = new GraphBuilder("constants", 17);
      const x = builder.input("x", { dtype: "f32", shape: [1, 2] });
      const table = builder.constant(f32([2, 2], 1, 2, 3, 4));
      const session = await engine.load(builder.build([builder.rename(matMul(x, table), "y")]));
      const outputs = await session.run(new Map([["x", f32([1, 2], 1, 10)]]));
      expect(outputs.get("y")).toEqual(f32([1, 2], 31, 42));
      await session.release();
    },
  },
  {
    name: "computes whole numbers and truth values as such",
    check: async (engine) => {
      const builder = new GraphBuilder("kinds", 17);
      const x = builder.input("x", { dtype: "i64", shape: [3] });
      const doubled = builder.rename(add(x, x), "sum");
      const [isLarge] = builder.emit(
        "Greater",
        [doubled, builder.ints([3])],
        [{ dtype: "bool", shape: [3] }],
      );
      const graph = builder.build([doubled, builder.rename(isLarge!, "large")]);
      const session = await engine.load(graph);
      const outputs = await session.run(
        new Map([["x", { dtype: "i64", shape: [3], data: BigInt64Array.of(1n, 2n, -5n) }]]),
      );
      expect(outputs.get("sum")).toEqual({ dtype: "i64", shape: [3], data: BigInt64Array.of(2n, 4n, -10n) });
      expect(outputs.get("large")).toEqual({ dtype: "bool", shape: [3], data: Uint8Array.of(0, 1, 0) });
      await session.release();
    },
  },
  {
    name: "computes 64-bit integers exactly",
    check: async (engine) => {
      const builder = new GraphBuilder("wide", 17);
      const x = builder.input("x", { dtype: "i64", shape: [1] });
      const session = await engine.load(builder.build([builder.rename(add(x, x), "y")]));
      const data = BigInt64Array.of(2n ** 40n);
      const outputs = await session.run(new Map([["x", { dtype: "i64", shape: [1], data }]]));
      await session.release();
      expect(outputs.get("y")?.data).toEqual(BigInt64Array.of(2n ** 41n));
    },
  },
  {
    name: "computes in double precision",
    check: async (engine) => {
      const builder = new GraphBuilder("double", 17);
      const x = builder.input("x", { dtype: "f64", shape: [1] });
      const session = await engine.load(builder.build([builder.rename(mul(x, x), "y")]));
      const data = Float64Array.of(1 / 3);
      const outputs = await session.run(new Map([["x", { dtype: "f64", shape: [1], data }]]));
      await session.release();
      expect(outputs.get("y")?.data).toEqual(Float64Array.of((1 / 3) ** 2));
    },
  },
];

const REFUSALS: readonly Law[] = [
  ["a tensor that is missing", () => WEIGHTS, /"x"/],
  ["a shape that does not fit", () => feedsOf(f32([1, 3], 1, 2, 3)), /x/],
  ["a rank that does not fit", () => feedsOf(f32([2], 1, 2)), /x/],
  [
    "another element type",
    () => feedsOf({ dtype: "i32", shape: [1, 2], data: Int32Array.of(1, 2) }),
    /x|type/,
  ],
].map(([what, feeds, message]) => ({
  name: `refuses ${what as string}, and serves afterwards`,
  check: async (engine, session) => {
    const run = session.run((feeds as () => ReadonlyMap<string, Tensor>)());
    await expect(run).rejects.toEqual(engineError(engine));
    await expect(run).rejects.toThrow(message as RegExp);
    expect((await session.run(feedsOf(ONE))).get("y")).toEqual(f32([1, 3], ...Y));
  },
}));

const LIFE: readonly Law[] = [
  ...(
    [
      ["shape", empty([2, 3])],
      ["element type", { dtype: "i32", shape: [1, 3], data: new Int32Array(3) }],
    ] as const
  ).map(
    ([what, y]): Law => ({
      name: `refuses to write into a tensor of another ${what}`,
      check: async (engine, session) => {
        await expect(session.run(feedsOf(ONE), new Map([["y", y]]))).rejects.toEqual(engineError(engine));
      },
    }),
  ),
  {
    name: "refuses to run what is released; releasing again does nothing",
    check: async (engine) => {
      const session = await engine.load(network());
      await session.release();
      await session.release();
      await expect(session.run(feedsOf(ONE))).rejects.toEqual(engineError(engine));
    },
  },
  {
    name: "refuses an operator there is not, naming it",
    check: async (engine) => {
      const builder = new GraphBuilder("odd", 17);
      const x = builder.input("x", { dtype: "f32", shape: [2] });
      const [y] = builder.emit("NoSuchOperator", [x], [x]);
      const load = engine.load(builder.build([y!]));
      await expect(load).rejects.toMatchObject({ _tag: /^(EngineError|UnsupportedError)$/ });
      await expect(load).rejects.toThrow("NoSuchOperator");
    },
  },
  {
    name: "refuses options it does not know",
    check: async (engine) => {
      await expect(engine.load(network(), { quick: true } as object)).rejects.toThrow(TypeError);
    },
  },
  {
    name: "computes the same with and without optimisation, on one thread and on two",
    check: async (engine) => {
      for (const options of [{ optimize: false }, { threads: 1 }, { threads: 2, optimize: true }]) {
        const session = await engine.load(network(), options);
        expect((await session.run(feedsOf(ONE))).get("y")).toEqual(f32([1, 3], ...Y));
        await session.release();
      }
    },
  },
];

/** Tests of what every adapter of the `Engine` port promises. */
export function testEngine(
  title: string,
  create: () => Promise<Engine> | Engine,
  excuses: Excuses = {},
): void {
  describe(`Engine ${title}`, () => {
    let engine: Engine;
    let session: Session;
    beforeAll(async () => {
      engine = await create();
      session = await engine.load(network());
    });
    afterAll(() => session.release());

    const laws = [...OUTPUTS, ...KINDS, ...REFUSALS, ...LIFE];
    for (const { name, check } of laws) {
      const excuse = excuses[name];
      if (excuse === undefined) it(name, () => check(engine, session));
      else it.fails(`${name} (not: ${excuse})`, () => check(engine, session));
    }

    it("is excused only from laws there are", () => {
      const known = new Set(laws.map(({ name }) => name));
      expect(Object.keys(excuses).filter((name) => !known.has(name))).toEqual([]);
    });
  });
}
