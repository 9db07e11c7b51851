import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "./graph-builder.ts";

/** How exporters lay out and turn pairs of dimensions. */
export const ROTARY_FORMS = [
  "halves",
  "halves by signed tables",
  "halves, part by part",
  "interleaved",
  "one operator",
  "one operator, interleaved",
  "tables computed from frequencies",
  "rows of tables at positions",
] as const;

/** One of {@link ROTARY_FORMS}. */
export type RotaryForm = (typeof ROTARY_FORMS)[number];

/** What a rotary attention may have that keeps pairs from being multiplied by complex numbers. */
export type RotaryTrait =
  | "none"
  | "two angles in a pair"
  | "gain on keys"
  | "keys laid out the other way round"
  | "keys turned backwards"
  | "half of a head read twice"
  | "a token late"
  | "keys seen elsewhere"
  | "sines added";

const WIDTH = 6;
const TOKENS = 5;
const HEADS = 4;
const GROUPS = 2;
const INNER = 6;
/** Dimensions that are turned: two pairs of three. */
const TURNED = 4;
const PAIRS = TURNED / 2;

/** Whether the pair of a dimension is beside it, and not half a head away. */
function isInterleaved(form: RotaryForm): boolean {
  return form === "interleaved" || form === "one operator, interleaved";
}

/** Attention of 4 heads of queries on 2 of keys, of 6 dimensions, of which 4 turn; 5 tokens of 6 numbers. */
export function rotaryNetwork(form: RotaryForm, trait: RotaryTrait = "none"): Graph {
  const b = new GraphBuilder(form.startsWith("one operator") ? 23 : 18);
  const x = b.input("x", [TOKENS, WIDTH]);
  if (form === "rows of tables at positions") b.input("positions", [TOKENS], "i64");
  const heads = (name: string, count: number) =>
    b.transpose(b.reshape(b.linear(x, name, WIDTH, count * INNER), 0, TOKENS, count, INNER), 0, 2, 1, 3);
  const [queries, keys, values] = [heads("q", HEADS), heads("k", GROUPS), heads("v", GROUPS)];
  const scaled = trait === "gain on keys" ? b.op("Mul", [keys, b.weight("gain", [INNER])]) : keys;
  const turn = new Turn(b, form, trait);
  const q = b.op("Mul", [turn.of(queries, false), b.constant([0.5], [])]);
  const k = turn.of(scaled, true);
  const grouped = b.reshape(q, 0, GROUPS, HEADS / GROUPS, TOKENS, INNER);
  const forEach = (value: string, perm: readonly number[]) =>
    b.op("Transpose", [b.reshape(value, 0, GROUPS, 1, TOKENS, INNER)], { perm });
  const scores = b.op("MatMul", [grouped, forEach(k, [0, 1, 2, 4, 3])]);
  const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: -1 }), forEach(values, [0, 1, 2, 3, 4])]);
  const joined = b.reshape(b.op("Transpose", [mixed], { perm: [0, 3, 1, 2, 4] }), 0, TOKENS, HEADS * INNER);
  const outputs = b.linear(joined, "o", HEADS * INNER, 3);
  const logits = b.op("ReduceMean", [outputs, b.ints(1)], { keepdims: 0 });
  b.output(logits);
  return (trait === "keys seen elsewhere" ? b.output(b.op("Relu", [keys])) : b).build();
}

/** Turns pairs of dimensions `[N, heads, tokens, inner]` by angles that grow with the token. */
class Turn {
  readonly #b: GraphBuilder;
  readonly #form: RotaryForm;
  readonly #trait: RotaryTrait;

  constructor(b: GraphBuilder, form: RotaryForm, trait: RotaryTrait) {
    this.#b = b;
    this.#form = form;
    this.#trait = trait;
  }

  of(x: string, isKey: boolean): string {
    const form = isKey && this.#trait === "keys laid out the other way round" ? "interleaved" : this.#form;
    if (form.startsWith("one operator")) return this.#byOperator(x, isInterleaved(form));
    const b = this.#b;
    const turned = b.slice(x, 3, [0, TURNED]);
    const rest = b.slice(x, 3, [TURNED, INNER]);
    const sign = isKey && this.#trait === "keys turned backwards" ? -1 : 1;
    const made = form === "halves, part by part" ? this.#byPart(turned) : this.#bySum(turned, form, sign);
    return b.op("Concat", [made, rest], { axis: 3 });
  }

  /** The angle of a pair at a token. */
  #angle(token: number, pair: number): number {
    return (token + 1) * 0.3 ** pair;
  }

  /** A table `[tokens, count]` of a function of the token and the dimension. */
  #table(count: number, at: (token: number, dimension: number) => number): string {
    const numbers = Array.from({ length: TOKENS * count }, (_, i) => at(Math.floor(i / count), i % count));
    return this.#b.constant(numbers, [TOKENS, count]);
  }

  #byPart(x: string): string {
    const b = this.#b;
    const [one, two] = [b.slice(x, 3, [0, PAIRS]), b.slice(x, 3, [PAIRS, TURNED])];
    const cosines = this.#table(PAIRS, (token, pair) => Math.cos(this.#angle(token, pair)));
    const sines = this.#table(PAIRS, (token, pair) => Math.sin(this.#angle(token, pair)));
    const first = b.op("Sub", [b.op("Mul", [one, cosines]), b.op("Mul", [two, sines])]);
    const second = b.op("Add", [b.op("Mul", [sines, one]), b.op("Mul", [two, cosines])]);
    return b.op("Concat", [first, second], { axis: 3 });
  }

  #bySum(x: string, form: RotaryForm, sign: number): string {
    const b = this.#b;
    if (this.#trait === "sines added") {
      const angles = b.op("Mul", [this.#table(1, (token) => token), b.weight("frequencies", [TURNED])]);
      return b.op("Add", [x, b.op("Sin", [angles])]);
    }
    const late = this.#trait === "a token late" ? this.#late(x) : x;
    const [cosines, sines] = this.#tables(form, sign);
    const other = isInterleaved(form) ? this.#neighbours(late) : this.#halves(late, form);
    return b.op("Add", [b.op("Mul", [x, cosines]), b.op("Mul", [other, sines])]);
  }

  /** The second half of the dimensions as it was one token before. */
  #late(x: string): string {
    const b = this.#b;
    const [one, two] = [b.slice(x, 3, [0, PAIRS]), b.slice(x, 3, [PAIRS, TURNED])];
    const order = b.ints(TOKENS - 1, ...Array.from({ length: TOKENS - 1 }, (_, token) => token));
    return b.op("Concat", [one, b.op("Gather", [two, order], { axis: 2 })], { axis: 3 });
  }

  #halves(x: string, form: RotaryForm): string {
    const b = this.#b;
    const first = b.slice(x, 3, [0, PAIRS]);
    const isRead = this.#trait !== "half of a head read twice";
    const second = isRead ? b.slice(x, 3, [PAIRS, TURNED]) : first;
    const negative = form === "halves by signed tables" ? second : b.op("Neg", [second]);
    return b.op("Concat", [negative, first], { axis: 3 });
  }

  #neighbours(x: string): string {
    const b = this.#b;
    const [even, odd] = [b.slice(x, 3, [0, TURNED, 2]), b.slice(x, 3, [1, TURNED, 2])];
    const beside = (value: string) => b.op("Unsqueeze", [value, b.ints(4)]);
    const pairs = b.op("Concat", [beside(b.op("Neg", [odd])), beside(even)], { axis: 4 });
    return b.reshape(pairs, 0, 0, TOKENS, TURNED);
  }

  #tables(form: RotaryForm, sign: number): [string, string] {
    const b = this.#b;
    if (form === "tables computed from frequencies") {
      const tokens = b.constant(
        Array.from({ length: TOKENS }, (_, token) => token + 1),
        [TOKENS, 1],
      );
      const angles = b.op("Mul", [tokens, b.weight("frequencies", [PAIRS])]);
      const both = b.op("Concat", [angles, angles], { axis: 1 });
      return [b.op("Cos", [both]), b.op("Sin", [both])];
    }
    const pairOf = (dimension: number) =>
      isInterleaved(form) ? Math.floor(dimension / 2) : dimension % PAIRS;
    const other = this.#trait === "two angles in a pair" ? 0.01 : 0;
    const angle = (token: number, dimension: number) =>
      this.#angle(token, pairOf(dimension)) + other * dimension;
    const isNegative = (dimension: number) => form === "halves by signed tables" && dimension < PAIRS;
    const tables: [string, string] = [
      this.#table(TURNED, (token, dimension) => Math.cos(angle(token, dimension))),
      this.#table(
        TURNED,
        (token, dimension) => (isNegative(dimension) ? -sign : sign) * Math.sin(angle(token, dimension)),
      ),
    ];
    if (form !== "rows of tables at positions") return tables;
    const atPositions = (table: string) =>
      b.op("Unsqueeze", [b.op("Gather", [table, "positions"]), b.ints(1)]);
    return [atPositions(tables[0]), atPositions(tables[1])];
  }

  #byOperator(x: string, interleaved: boolean): string {
    const tables = [Math.cos, Math.sin].map((f) =>
      this.#table(PAIRS, (token, pair) => f(this.#angle(token, pair))),
    );
    const shaped = tables.map((table) => {
      const batched = this.#b.op("Unsqueeze", [table, this.#b.ints(0)]);
      return this.#b.op("Expand", [batched, this.#b.ints(2, TOKENS, PAIRS)]);
    });
    return this.#b.op("RotaryEmbedding", [x, ...shaped], {
      interleaved: interleaved ? 1 : 0,
      rotary_embedding_dim: TURNED,
    });
  }
}
