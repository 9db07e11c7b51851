import { createRandom } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GrowingGraph } from "./growing-graph.ts";

/** A value under construction, `[N, tokens, width]`. */
interface Live {
  readonly name: string;
  readonly tokens: number;
  readonly width: number;
}

/** Widest vector that is made; products beyond are not. */
const MAX_WIDTH = 24;

/**
 * Makes a random graph of a given number of steps: linear maps, activations, gates, norms, softmax, and every
 * way of moving, splitting, joining and repeating parts of tensors.
 */
export function randomGraph(seed: number, steps: number): Graph {
  return new RandomGraph(createRandom(seed, "graph")).build(steps, `random-${seed}`);
}

type Step = (graph: RandomGraph) => Live | undefined;

class RandomGraph extends GrowingGraph<Live> {
  readonly squares = new Map<number, string>();

  build(steps: number, name: string): Graph {
    const tokens = this.between(1, 4);
    const width = this.between(2, 5);
    const input = this.b.input("x", [tokens, width]);
    this.live.push(this.linear({ name: input, tokens, width }, this.between(3, 8)));
    this.grow(steps, STEPS);
    const last = this.live.slice(-this.between(1, 3));
    const heads = last.map((value) => this.pooled(this.linear(value, 3)));
    return this.finish(heads, name);
  }

  /** Two values of one shape, perhaps the same. */
  pair(): readonly [Live, Live] {
    const one = this.any();
    const alike = this.live.filter(({ tokens, width }) => tokens === one.tokens && width === one.width);
    return [one, this.pick(alike)];
  }

  linear({ name, tokens, width }: Live, out: number): Live {
    const product = this.b.op("MatMul", [name, this.weight([width, out])]);
    const biased = this.b.op("Add", [product, this.weight([out])]);
    return { name: biased, tokens, width: out };
  }

  pooled({ name }: Live): string {
    return this.b.op("ReduceMean", [name, this.b.ints(1)], { keepdims: 0 });
  }

  /** The value with `width` seen as `[a, width / a]`, or undefined if it is prime. */
  factor({ width }: Live): readonly [number, number] | undefined {
    const divisors = [2, 3, 4].filter((d) => width % d === 0 && width > d);
    const a = divisors.length === 0 ? undefined : this.pick(divisors);
    return a === undefined ? undefined : [a, width / a];
  }
}

const named = (value: Live, name: string, width = value.width): Live => ({ ...value, name, width });

const STEPS: readonly Step[] = [
  (g) => g.linear(g.any(), g.between(2, 8)),
  (g) => {
    const x = g.any();
    const square = g.squares.get(x.width) ?? g.weight([x.width, x.width]);
    g.squares.set(x.width, square);
    return named(
      x,
      g.b.op("MatMul", [x.name, g.random.uniform() < 0.7 ? square : g.b.transpose(square, 1, 0)]),
    );
  },
  (g) => {
    const x = g.any();
    return named(x, g.b.op(g.pick(["Relu", "Tanh", "Sigmoid", "Neg"]), [x.name]));
  },
  (g) => {
    const [x, y] = g.pair();
    return named(
      x,
      g.b.op(g.pick(["Add", "Mul", "Sub", "Max"]), [g.b.op("Tanh", [x.name]), g.b.op("Tanh", [y.name])]),
    );
  },
  (g) => {
    const x = g.any();
    const values = Array.from({ length: x.width }, () => g.between(1, 3));
    return named(x, g.b.op("Mul", [x.name, g.b.constant(values, [x.width])]));
  },
  (g) => {
    const x = g.any();
    return named(
      x,
      g.b.op(g.pick(["Mul", "Add"]), [
        x.name,
        g.weight(g.pick([[x.width], [x.tokens, x.width], [x.tokens, 1]])),
      ]),
    );
  },
  (g) => {
    const x = g.any();
    const others = g.live.filter(({ tokens }) => tokens === x.tokens);
    const y = g.pick(others);
    if (x.width + y.width > MAX_WIDTH) return undefined;
    return named(x, g.b.op("Concat", [x.name, y.name], { axis: 2 }), x.width + y.width);
  },
  (g) => {
    const x = g.any();
    const y = g.pick(g.live.filter(({ width }) => width === x.width));
    if (x.tokens + y.tokens > 6) return undefined;
    return { ...named(x, g.b.op("Concat", [x.name, y.name], { axis: 1 })), tokens: x.tokens + y.tokens };
  },
  (g) => {
    const x = g.any();
    const start = g.between(0, x.width - 1);
    const end = g.between(start + 1, x.width);
    return named(x, g.b.slice(x.name, 2, [start, end]), end - start);
  },
  (g) => {
    const x = g.any();
    return named(x, g.b.slice(x.name, 2, [x.width, -x.width - 1, -1]));
  },
  (g) => {
    const x = g.any();
    const count = g.between(1, Math.min(MAX_WIDTH, x.width + 2));
    const indices = Array.from({ length: count }, () => g.random.integer(x.width));
    return named(x, g.b.op("Gather", [x.name, g.b.ints(...indices)], { axis: 2 }), count);
  },
  (g) => {
    const x = g.any();
    if (x.width * 2 > MAX_WIDTH) return undefined;
    return named(x, g.b.op("Tile", [x.name, g.b.ints(1, 1, 2)]), 2 * x.width);
  },
  (g) => {
    const x = g.any();
    const before = g.between(0, 2);
    const after = g.between(0, 2);
    return named(x, g.b.op("Pad", [x.name, g.b.ints(0, 0, before, 0, 0, after)]), before + x.width + after);
  },
  (g) => {
    const x = g.any();
    return named(x, g.b.op("Softmax", [x.name], { axis: g.between(1, 2) }));
  },
  (g) => {
    const x = g.any();
    return named(
      x,
      g.b.op("LayerNormalization", [g.b.op("Add", [x.name, g.weight([x.width])]), g.weight([x.width])], {
        axis: -1,
      }),
    );
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined) return undefined;
    const [a, c] = shape;
    const swapped = g.b.transpose(g.b.reshape(x.name, 0, 0, a, c), 0, 1, 3, 2);
    return named(x, g.b.reshape(swapped, 0, 0, x.width));
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined) return undefined;
    const axis = g.between(2, 3);
    const op = g.pick(["ReduceSum", "ReduceMax", "ReduceMean"]);
    const y = g.b.op(op, [g.b.reshape(x.name, 0, 0, ...shape), g.b.ints(axis)], { keepdims: 0 });
    return named(x, y, shape[3 - axis] ?? 1);
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined) return undefined;
    const parts = g.b.reshape(x.name, 0, 0, ...shape);
    return named(x, g.b.reshape(g.b.op("Softmax", [parts], { axis: g.between(2, 3) }), 0, 0, x.width));
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined) return undefined;
    const scale = g.weight(g.pick([[shape[0], 1], [shape[1]]]));
    return named(x, g.b.reshape(g.b.op("Mul", [g.b.reshape(x.name, 0, 0, ...shape), scale]), 0, 0, x.width));
  },
  (g) => {
    const x = g.any();
    const y = g.pick(g.live.filter(({ tokens }) => tokens === x.tokens));
    if (x.width * y.width > MAX_WIDTH) return undefined;
    const rows = g.b.op("Unsqueeze", [x.name, g.b.ints(3)]);
    const columns = g.b.op("Unsqueeze", [y.name, g.b.ints(2)]);
    const product = g.b.op(g.pick(["Mul", "Add"]), [rows, columns]);
    return named(x, g.b.reshape(product, 0, 0, x.width * y.width), x.width * y.width);
  },
  (g) => {
    const x = g.any();
    const y = g.pick(g.live.filter(({ width }) => width === x.width));
    const scores = g.b.op("MatMul", [x.name, g.b.transpose(y.name, 0, 2, 1)]);
    const weights = g.b.op("Softmax", [scores], { axis: -1 });
    return { ...x, name: g.b.op("MatMul", [weights, y.name]) };
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined) return undefined;
    // Self-attention with heads, sharing one projection between queries, keys and values.
    const heads = g.b.transpose(g.b.reshape(x.name, 0, 0, ...shape), 0, 2, 1, 3);
    const scores = g.b.op("MatMul", [heads, g.b.transpose(heads, 0, 1, 3, 2)]);
    const mixed = g.b.op("MatMul", [g.b.op("Softmax", [scores], { axis: -1 }), heads]);
    return named(x, g.b.reshape(g.b.transpose(mixed, 0, 2, 1, 3), 0, x.tokens, x.width));
  },
  (g) => {
    const x = g.any();
    const out = g.between(1, 5);
    const product = g.b.op("MatMul", [g.b.transpose(x.name, 0, 2, 1), g.weight([x.tokens, out])]);
    return { ...x, name: g.b.transpose(product, 0, 2, 1), tokens: out };
  },
  (g) => {
    const x = g.any();
    if (x.tokens * x.width > MAX_WIDTH) return undefined;
    const flat = g.b.reshape(x.name, 0, 1, x.tokens * x.width);
    return { name: flat, tokens: 1, width: x.tokens * x.width };
  },
  (g) => {
    const x = g.any();
    const shape = g.factor(x);
    if (shape === undefined || x.tokens * shape[0] > 8) return undefined;
    const [a, c] = shape;
    return { name: g.b.reshape(x.name, 0, x.tokens * a, c), tokens: x.tokens * a, width: c };
  },
];
