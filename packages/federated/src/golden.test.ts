import { readFileSync } from "node:fs";
import { at, entry } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { aggregateInMemory, combine, mixAll, parametersOf } from "../test/in-memory.ts";
import { PRE_AGGREGATIONS } from "./pre-aggregations.ts";
import { AGGREGATION_RULES } from "./rules.ts";
import { SERVER_STEPS } from "./server-steps.ts";

/** Golden values, and the script that made them: tools/golden/federated.py. */
interface Golden {
  readonly inputs: Record<
    string,
    { network: string; rounds: string[][]; losses: number[][]; examples: number[] }
  >;
  readonly cases: readonly Case[];
  readonly steps: readonly {
    readonly n: number;
    readonly name: string;
    readonly options: object;
    readonly order?: number[];
    readonly result: string;
  }[];
  readonly cancellation: { networks: number[][]; f: number; f32: number[]; f64: number[] };
  readonly bulyan: readonly { points: number[]; f: number; single: number; iterated: number }[];
}
interface Case {
  readonly from: "flwr" | "byzfl";
  readonly name: string;
  readonly options: Record<string, number>;
  readonly n: number;
  readonly equal: boolean;
  readonly result: Record<"f64" | "f32", string[]>;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../test/golden/rules.json", import.meta.url), "utf8"),
);

function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text, "base64")).buffer;
}
const f32 = (text: string) => Float64Array.from(new Float32Array(bytesOf(text)));
const f64 = (text: string) => new Float64Array(bytesOf(text));

/** Names here of a rule and a server step of others, and values of their parameters. */
interface Ours {
  readonly rule: string;
  readonly rules?: object;
  readonly server?: string;
  readonly steps?: object;
}

/** byzfl counts one neighbour more than the paper of Krum, which is Krum with one attacker fewer. */
const oursOf: Record<string, (options: Record<string, number>, n: number) => Ours> = {
  FedAvg: () => ({ rule: "fedavg" }),
  FedAvgM: (steps) => ({ rule: "fedavg", server: "momentum", steps }),
  FedAdam: () => ({ rule: "fedavg", server: "adam" }),
  FedYogi: () => ({ rule: "fedavg", server: "yogi" }),
  FedAdagrad: () => ({ rule: "fedavg", server: "adagrad" }),
  FedMedian: () => ({ rule: "coordinate-median" }),
  FedTrimmedAvg: (rules) => ({ rule: "trimmed-mean", rules }),
  QFedAvg: (rules) => ({ rule: "qfedavg", rules }),
  aggregate_bulyan: (rules) => ({ rule: "bulyan", rules }),
  Average: () => ({ rule: "fedavg" }),
  Median: () => ({ rule: "coordinate-median" }),
  TrMean: (rules) => ({ rule: "trimmed-mean", rules }),
  Meamed: (rules) => ({ rule: "meamed", rules }),
  GeometricMedian: (rules) => ({ rule: "geometric-median", rules: { ...rules, start: "network" } }),
  CenteredClipping: (rules) => ({ rule: "centred-clipping", rules }),
  MDA: (rules) => ({ rule: "mda", rules }),
};

function ours({ from, name, options, n }: Case): Ours {
  const { f = 0 } = options;
  if (name === "Krum") return { rule: "krum", rules: { f: from === "byzfl" ? f - 1 : f } };
  if (name !== "MultiKrum") return oursOf[name]!(options, n);
  if (from === "flwr") return { rule: "multi-krum", rules: { ...options, weighted: true } };
  return { rule: "multi-krum", rules: { f: f - 1, select: n - f } };
}

/** Runs all rounds in f64: networks after each for Flower, and aggregates of displacements for byzfl. */
function run(one: Case): Float64Array[] {
  const { rule, rules = {}, server = "average", steps = {} } = ours(one);
  const { network, rounds, losses, examples } = golden.inputs[one.n]!;
  const [ruleOf, step] = [entry(AGGREGATION_RULES, rule), entry(SERVER_STEPS, server)];
  const values = f32(network);
  const states = Object.fromEntries(step.states.map((name) => [name, new Float64Array(values.length)]));
  let carried = new Float64Array(values.length);
  return one.result.f64.map((_, r) => {
    const displacements = at(rounds, r).map((text) => f32(text).map((value, i) => value - values[i]!));
    const change = aggregateInMemory(ruleOf, displacements, {
      ...{ parameters: rules, losses: at(losses, r), carried },
      examples: one.equal ? undefined : examples,
    });
    if (one.from === "byzfl") {
      carried = change.slice();
      return change;
    }
    step.stepInPlace({ round: r + 1, change, states, values }, parametersOf(step, steps));
    return values.slice();
  });
}

/** Largest difference, as a share of the largest element that is expected. */
function differenceOf(result: Float64Array, expected: Float64Array): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...result.map((x, i) => Math.abs(x - expected[i]!))) / largest;
}

const titleOf = ({ from, name, options, n, equal }: Case) =>
  `${name} of ${from} ${JSON.stringify(options)} of ${n} clients${equal ? "" : ", by examples"}`;

describe("rules and server steps equal Flower 1.42 and byzfl 0.0.11", () => {
  test.each(golden.cases.map((one) => [titleOf(one), one] as const))("%s", (_, one) => {
    const results = run(one);
    for (const [r, result] of results.entries()) {
      expect(differenceOf(result, f64(at(one.result.f64, r)))).toBeLessThan(1e-13);
      // They round to f32 after every operation, and go on from there; ours is in f64.
      expect(differenceOf(result, f32(at(one.result.f32, r)))).toBeLessThan(16 * 2 ** -24);
    }
  });
});

describe("steps before rules equal byzfl 0.0.11", () => {
  const names: Record<string, string> = {
    Bucketing: "bucketing",
    NNM: "nnm",
    Clipping: "clipping",
    ARC: "arc",
  };
  test.each(
    golden.steps.map(
      (one) => [`${one.name} ${JSON.stringify(one.options)} of ${one.n} clients`, one] as const,
    ),
  )("%s", (_, { n, name, options, order, result }) => {
    const { network, rounds } = golden.inputs[n]!;
    const global = f32(network);
    const displacements = at(rounds, 0).map((text) => f32(text).map((value, i) => value - global[i]!));
    const random = {
      ...{ uniform: () => 0, integer: () => 0, normal: () => 0 },
      shuffleInPlace: <T extends { [index: number]: unknown; readonly length: number }>(items: T): T => {
        for (const [i, k] of order!.entries()) items[i] = k;
        return items;
      },
    };
    const step = { of: entry(PRE_AGGREGATIONS, names[name]!), parameters: options };
    const { mixture } = mixAll(displacements, { steps: [step] }, random as never);
    const mixed = mixture.flatMap((row) => [...combine(row, displacements)]);
    expect(differenceOf(Float64Array.from(mixed), f64(result))).toBeLessThan(1e-14);
  });
});

describe("where others differ", () => {
  const rule = (name: string) => entry(AGGREGATION_RULES, name);

  test("krum: products of whole networks cancel in f32, and Flower takes another update than in f64", () => {
    const { networks, f, f32: flower, f64: exact } = golden.cancellation;
    // Distances of the third to the second and fourth are the smallest there are; offsets are exact in f32.
    const displacements = networks.map((network) => Float64Array.from(network, (x, i) => x - 1000 - i));
    const change = aggregateInMemory(rule("krum"), displacements, { parameters: { f } });
    const result = Array.from(change, (x, i) => x + 1000 + i);
    expect(result).toEqual(exact);
    expect(result).toEqual(networks[2]);
    expect(flower).toEqual(networks[0]);
  });

  test("krum: two equal updates are each other's neighbours, whatever rounding makes of their distance", () => {
    const points = [[0.1], [0.1], [0.3], [9]].map((point) => Float64Array.from(point));
    expect([...aggregateInMemory(rule("krum"), points, { parameters: { f: 0 } })]).toEqual([0.1]);
  });

  test("bulyan: choosing one by one, as the paper, goes where the honest ones are; Flower's choice at once does not", () => {
    for (const { points, f, single, iterated } of golden.bulyan) {
      const change = aggregateInMemory(
        rule("bulyan"),
        points.map((x) => Float64Array.of(x)),
        { parameters: { f } },
      );
      expect(change[0]).toBeCloseTo(iterated, 12);
      const honest = points.slice(0, points.length - f);
      const mean = honest.reduce((sum, x) => sum + x, 0) / honest.length;
      expect(Math.abs(iterated - mean)).toBeLessThan(0.4);
      expect(Math.abs(single - mean)).toBeGreaterThan(3.9);
    }
  });

  test("trimmed mean: half at each end leaves the median, and 0.29 of 100 is 29", () => {
    const of = (values: readonly number[], beta: number) =>
      aggregateInMemory(
        rule("trimmed-mean"),
        values.map((x) => Float64Array.of(x)),
        { parameters: { beta } },
      )[0];
    expect(of([9, 1, 2, 4], 0.5)).toBe(3);
    expect(of([9, 1, 2], 0.5)).toBe(2);
    expect(Math.trunc(0.29 * 100)).toBe(28);
    // 29 values of 1 at one end: cutting 28 leaves one of them.
    expect(of([...Array(29).fill(1), ...Array(71).fill(0)], 0.29)).toBe(0);
  });
});
