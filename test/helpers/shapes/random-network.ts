import { at, type Random } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder } from "../graph-builder.ts";
import {
  add,
  attention,
  embed,
  head,
  lastMean,
  mlp,
  NORMS,
  scaled,
  TOKENS,
  unitLength,
  WIDTH,
} from "./parts.ts";

/** A step of a random network: makes a value of a value and perhaps of an earlier one. */
type Step = (b: GraphBuilder, x: string, other: string, name: string) => string;

const number = (b: GraphBuilder, value: number): string => b.constant([value], []);

/** What a random network is made of; every value is `[N, 4, 8]`. */
const STEPS: readonly Step[] = [
  ...NORMS.map(
    ([, normalize]): Step =>
      (b, x, _, name) =>
        normalize(b, x, name),
  ),
  (b, x) => unitLength(b, x),
  (b, x, _, name) => b.linear(x, name, WIDTH, WIDTH),
  (b, x, _, name) => mlp(b, x, name),
  (b, x, _, name) => mlp(b, x, name, "Tanh"),
  (b, x, _, name) => attention(b, x, name),
  (b, x, other, name) => attention(b, x, name, { memory: other }),
  (b, x, other) => add(b, x, other),
  (b, x, other) => add(b, x, other),
  (b, x, other) => add(b, x, other),
  (b, x, other) => b.op("Sub", [x, other]),
  (b, x, other) => b.op("Mul", [x, b.op("Sigmoid", [other])]),
  (b, x, other) => b.op("Mul", [x, other]),
  (b, x, _, name) => scaled(b, x, name),
  (b, x, _, name) => scaled(b, x, name, 1),
  (b, x, _, name) => add(b, x, b.weight(name, [WIDTH])),
  (b, x, _, name) => add(b, x, b.weight(name, [TOKENS, WIDTH])),
  (b, x) => b.op("Mul", [x, number(b, 0.5)]),
  (b, x) => b.op("Neg", [x]),
  (b, x) => b.op("Relu", [x]),
  (b, x) => b.op("Tanh", [x]),
  (b, x) => b.op("Sub", [x, lastMean(b, x)]),
  (b, x) => b.op("Sub", [x, b.op("ReduceMean", [x], { axes: [1] })]),
  (b, x, other, name) => b.linear(b.op("Concat", [x, other], { axis: 2 }), name, 2 * WIDTH, WIDTH),
  (b, x, other) => {
    const joined = b.op("Concat", [b.slice(x, 1, [0, 2]), b.slice(other, 1, [2, TOKENS])], { axis: 1 });
    return joined;
  },
  (b, x, other) => b.op("Concat", [b.slice(x, 2, [0, 4]), b.slice(other, 2, [4, WIDTH])], { axis: 2 }),
  (b, x, _, name) => {
    const gate = b.op("Sigmoid", [b.linear(x, name, WIDTH, 1)]);
    return b.op("Mul", [x, gate]);
  },
];

/**
 * Builds a network of up to 9 random steps, each of the last value or one before it, with logits from the
 * mean over tokens. Values are read again at random, as residual streams are.
 */
export function randomNetwork(random: Random): Graph {
  const b = new GraphBuilder();
  const pick = <T>(list: readonly T[]): T => at(list, Math.floor(random.uniform() * list.length), "choice");
  const values = [embed(b)];
  const steps = 2 + Math.floor(8 * random.uniform());
  for (let step = 0; step < steps; step++) {
    const last = at(values, values.length - 1, "value");
    const x = random.uniform() < 0.7 ? last : pick(values);
    values.push(pick(STEPS)(b, x, pick(values), `step${step}`));
  }
  return b.output(head(b, at(values, values.length - 1, "value"))).build("random network");
}
