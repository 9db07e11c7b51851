import { at, createRandom, entry } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregateInMemory, parametersOf, pointsOf, type RunOptions, type Step } from "../test/in-memory.ts";
import { PRE_AGGREGATIONS } from "./pre-aggregations.ts";
import type { AggregationRule } from "./rules/aggregation-rule.ts";
import { AGGREGATION_RULES } from "./rules.ts";
import { SERVER_STEPS } from "./server-steps.ts";
import { STRATEGIES } from "./strategies.ts";

const [COUNT, SIZE, F] = [11, 6, 2];

/** Values for parameters without a default, which clip nothing of the updates below. */
const REQUIRED: Record<string, number> = { f: F, radius: 1e9, bound: 1e9, clientLearningRate: 0.1 };

const requiredOf = ({ parameters }: Pick<AggregationRule, "parameters">) =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([, spec]) => spec.default === undefined)
      .map(([name]) => [name, entry(new Map(Object.entries(REQUIRED)), name)]),
  );

/** Rules with the parameters that make them resist F of COUNT. */
const ROBUST = new Map<string, object>([
  ["coordinate-median", {}],
  ["trimmed-mean", { f: F }],
  ["meamed", { f: F }],
  ["geometric-median", {}],
  ["krum", { f: F }],
  ["multi-krum", { f: F }],
  ["bulyan", { f: F }],
  ["mda", { f: F }],
]);

/** Rules that look at lengths of displacements or at a carried point, so at where the global network is. */
const AT_HOME = new Set(["qfedavg", "norm-bound", "centred-clipping"]);
/** Rules whose weights need not have a sum of 1. */
const SCALED = new Set(["qfedavg", "fedbuff"]);
/**
 * Rules in which ties, which the earlier name wins, are no accident: Bulyan's last choices are of so few
 * points that nearest pairs tie, and a diameter leaves open which points are inside of it.
 */
const BY_NAME = new Set(["bulyan", "mda"]);
// A difference of networks is never -0: adding 0 makes it 0.
const number = fc.float({ min: -4, max: 4, noNaN: true });
const vector = fc
  .array(number, { minLength: SIZE, maxLength: SIZE })
  .map((list) => Float64Array.from(list, (x) => x + 0));
/** Points that differ by chance, so that no two distances tie. */
const points = fc.nat().map((seed) => {
  const random = createRandom(seed);
  return Array.from({ length: COUNT }, () => Float64Array.from({ length: SIZE }, () => random.normal()));
});
const losses = Array.from({ length: COUNT }, (_, k) => 0.5 + k / 10);
const examples = Array.from({ length: COUNT }, (_, k) => 1 + k);

const close = (result: Float64Array, expected: Float64Array, tolerance = 1e-9) => {
  expect(Math.max(...result.map((x, i) => Math.abs(x - at(expected, i))))).toBeLessThan(tolerance);
};
const plus = (x: Float64Array, y: Float64Array) => x.map((value, i) => value + at(y, i));

describe.each([...AGGREGATION_RULES.values()])("rule $name", (rule) => {
  const parameters = requiredOf(rule);
  const run = (displacements: readonly Float64Array[], options: RunOptions = {}) =>
    aggregateInMemory(rule, displacements, { parameters, losses, examples, ...options });

  test("says what it is, where it is from, and what its parameters mean", () => {
    expect(rule.description).toMatch(/^[A-Z].*\.$/);
    expect(rule.source).toMatch(/\d{4}/);
    for (const { description, of } of Object.values(rule.parameters)) {
      expect(description).toMatch(/^[A-Z].*\.$/);
      expect(of).toBe("merge");
    }
  });

  test.skipIf(rule.name === "qfedavg")("makes of equal updates that update, exactly in f32", () => {
    fc.assert(
      fc.property(vector, (one) => {
        const result = run(Array<Float64Array>(COUNT).fill(one));
        expect(Float32Array.from(result)).toEqual(Float32Array.from(one));
      }),
    );
  });

  test.skipIf(BY_NAME.has(rule.name))("does not depend on the order of clients", () => {
    fc.assert(
      fc.property(points, fc.nat(), (displacements, seed) => {
        const order = createRandom(seed).shuffleInPlace(displacements.map((_, i) => i));
        const shuffled = {
          losses: order.map((i) => at(losses, i)),
          examples: order.map((i) => at(examples, i)),
        };
        close(
          run(
            order.map((i) => at(displacements, i)),
            shuffled,
          ),
          run(displacements),
        );
      }),
    );
  });

  test.skipIf(AT_HOME.has(rule.name))("moves with the updates", () => {
    fc.assert(
      fc.property(points, vector, (displacements, shift) => {
        const moved = run(displacements.map((one) => plus(one, shift)));
        close(moved, plus(run(displacements), shift));
      }),
    );
  });

  test("goes as far as updates that go twice as far, where nothing is clipped", () => {
    const twice = (displacements: readonly Float64Array[]) =>
      displacements.map((one) => one.map((x) => 2 * x));
    if (rule.name === "qfedavg") return;
    // Its smoothing is a distance (nu, 1e-6), which does not grow with the updates.
    const tolerance = rule.name === "geometric-median" ? 1e-5 : 1e-9;
    fc.assert(
      fc.property(points, (displacements) => {
        const doubled = run(displacements).map((x) => 2 * x);
        close(run(twice(displacements)), doubled, tolerance);
      }),
    );
  });

  test("gives each element its place", () => {
    fc.assert(
      fc.property(points, fc.nat(), (displacements, seed) => {
        const order = createRandom(seed).shuffleInPlace(Array.from({ length: SIZE }, (_, i) => i));
        const permute = (one: Float64Array) => Float64Array.from(order, (i) => at(one, i));
        close(run(displacements.map(permute)), permute(run(displacements)));
      }),
    );
  });

  test("stays between the smallest and the largest update in each element", () => {
    fc.assert(
      fc.property(points, (displacements) => {
        const result = run(displacements);
        if (rule.name === "qfedavg") return;
        for (const [i, value] of result.entries()) {
          const column = displacements.map((one) => at(one, i));
          expect(value).toBeGreaterThanOrEqual(Math.min(...column) - 1e-12);
          expect(value).toBeLessThanOrEqual(Math.max(...column) + 1e-12);
        }
      }),
    );
  });

  test("is finite for equal, opposite and zero updates", () => {
    const zero = new Float64Array(SIZE);
    const one = Float64Array.from({ length: SIZE }, (_, i) => i - 2);
    const sets = [Array(COUNT).fill(zero), losses.map((_, k) => one.map((x) => (k % 2 ? x : -x)))];
    for (const set of sets) {
      expect(run(set as Float64Array[]).every(Number.isFinite)).toBe(true);
    }
  });

  test.skipIf(rule.kind !== "linear" || SCALED.has(rule.name) || AT_HOME.has(rule.name))(
    "weighs updates by at least 0, with a sum of 1",
    () => {
      fc.assert(
        fc.property(points, (displacements) => {
          if (rule.kind !== "linear") return;
          const described = pointsOf(displacements, { losses, examples });
          const { weights } = rule.weigh(described, parametersOf(rule, parameters));
          expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        }),
      );
    },
  );
});

const honest = fc.nat().map((seed) => {
  const random = createRandom(seed);
  return Array.from({ length: COUNT - F }, () => Float64Array.from({ length: SIZE }, () => random.normal()));
});
const direction = fc.nat().map((seed) => {
  const random = createRandom(seed, "attack");
  return Float64Array.from({ length: SIZE }, () => random.normal());
});

/** Radius around the origin of a ball in which all vectors lie. */
const radiusOf = (vectors: readonly Float64Array[]) => Math.max(...vectors.map((one) => Math.hypot(...one)));

describe.each([...ROBUST])("%s", (name, parameters) => {
  const rule = entry(AGGREGATION_RULES, name);
  const steps: Step[][] = [
    [],
    [{ of: entry(PRE_AGGREGATIONS, "nnm"), parameters: { f: F } }],
    [
      { of: entry(PRE_AGGREGATIONS, "arc"), parameters: { f: F } },
      { of: entry(PRE_AGGREGATIONS, "nnm"), parameters: { f: F } },
    ],
  ];

  test.each(steps.map((list) => [list.map(({ of }) => of.name).join(" and ") || "nothing", list] as const))(
    "stays among honest updates, whatever far ones come, after %s",
    (_, list) => {
      fc.assert(
        fc.property(honest, direction, fc.constantFrom(1e3, 1e6), (good, way, far) => {
          const attack = Array.from({ length: F }, (__, k) => way.map((x) => (k % 2 ? -far : far) * x));
          // First, so that no tie is won by an honest one.
          const result = aggregateInMemory(rule, [...attack, ...good], { parameters, steps: list });
          // The geometric median may leave the ball of the honest ones, by this many radii (Lopuhaa and
          // Rousseeuw, 1991).
          const leaving = name === "geometric-median" ? (2 * (COUNT - F)) / (COUNT - 2 * F) : 1;
          const corner = rule.kind === "coordinates" ? Math.sqrt(SIZE) : 1;
          expect(Math.hypot(...result)).toBeLessThan(leaving * corner * radiusOf(good) + 1e-9);
        }),
      );
    },
  );
});

test("fedavg does not resist one far update", () => {
  const zero = new Float64Array(SIZE);
  const displacements = [zero.map(() => 1e6), ...Array<Float64Array>(COUNT - 1).fill(zero)];
  expect(aggregateInMemory(entry(AGGREGATION_RULES, "fedavg"), displacements)[0]).toBeCloseTo(1e6 / COUNT, 6);
});

test("norm-bound and centred clipping move by no more than their bound, whatever is sent", () => {
  fc.assert(
    fc.property(points, fc.constantFrom(1, 1e6), (displacements, far) => {
      const sent = displacements.map((one) => one.map((x) => far * x));
      const norm = (name: string, parameters: object) =>
        Math.hypot(...aggregateInMemory(entry(AGGREGATION_RULES, name), sent, { parameters }));
      expect(norm("norm-bound", { bound: 0.3 })).toBeLessThan(0.3 + 1e-9);
      expect(norm("centred-clipping", { radius: 0.1, iterations: 3 })).toBeLessThan(0.3 + 1e-9);
    }),
  );
});

test("the geometric median has the smallest sum of distances among points around it", () => {
  fc.assert(
    fc.property(points, direction, (displacements, way) => {
      const rule = entry(AGGREGATION_RULES, "geometric-median");
      const median = aggregateInMemory(rule, displacements, { examples });
      const total = examples.reduce((sum, n) => sum + n, 0);
      const cost = (x: Float64Array) =>
        displacements.reduce(
          (sum, one, k) => sum + (at(examples, k) / total) * Math.hypot(...one.map((y, i) => y - at(x, i))),
          0,
        );
      expect(cost(median)).toBeLessThan(
        cost(
          plus(
            median,
            way.map((x) => x / 100),
          ),
        ) + 1e-12,
      );
    }),
  );
});

test("qfedavg with q of 0 is the mean of all, and a larger q counts clients of larger losses for more", () => {
  const rule = entry(AGGREGATION_RULES, "qfedavg");
  if (rule.kind !== "linear") throw new Error("qfedavg must be linear");
  const displacements = losses.map((_, k) => Float64Array.of(Math.cos(k), Math.sin(k)));
  const weigh = (q: number) => {
    const parameters = parametersOf(rule, { clientLearningRate: 0.1, q });
    return rule.weigh(pointsOf(displacements, { losses }), parameters).weights;
  };
  for (const weight of weigh(0)) expect(weight).toBeCloseTo(1 / COUNT, 12);
  const ratio = (q: number) => at(weigh(q), COUNT - 1) / at(weigh(q), 0);
  expect(ratio(1)).toBeCloseTo(at(losses, COUNT - 1) / at(losses, 0), 8);
  expect(() => rule.weigh(pointsOf(displacements), parametersOf(rule, { clientLearningRate: 1 }))).toThrow(
    /the loss of the global network/,
  );
});

test("fedbuff divides by the root of 1 and the rounds that an update is late by, and not by the sum", () => {
  const displacements = [0, 1, 2].map(() => Float64Array.of(6));
  const run = (staleness: number[], parameters = {}) =>
    aggregateInMemory(entry(AGGREGATION_RULES, "fedbuff"), displacements, { staleness, parameters })[0];
  expect(run([3, 3, 3])).toBeCloseTo(3, 12);
  expect(run([0, 3, 3])).toBeCloseTo(4, 12);
  expect(run([0, 3, 3], { exponent: 0 })).toBeCloseTo(6, 12);
});

describe("steps before rules", () => {
  test.each([...PRE_AGGREGATIONS.values()])("$name makes points of shares with a sum of 1", (step) => {
    expect(step.description).toMatch(/^[A-Z].*\.$/);
    expect(step.source).toMatch(/\d{4}/);
    fc.assert(
      fc.property(points, (displacements) => {
        const described = pointsOf(displacements, { examples });
        const { mixture, shares } = step.mix(
          described,
          parametersOf(step, requiredOf(step)),
          createRandom(1),
        );
        expect(shares.length).toBe(mixture.length);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        for (const row of mixture) {
          expect(row.length).toBe(COUNT);
          expect(row.reduce((sum, weight) => sum + weight, 0)).toBeLessThan(1 + 1e-12);
        }
      }),
    );
  });

  test("arc and nnm refuse as many attackers as clients", () => {
    for (const name of ["arc", "nnm"]) {
      const step = entry(PRE_AGGREGATIONS, name);
      const parameters = parametersOf(step, { f: 2 });
      expect(() =>
        step.mix(pointsOf([Float64Array.of(1), Float64Array.of(2)]), parameters, createRandom(1)),
      ).toThrow(/"f" must be below their number/);
    }
  });

  test("f must be a whole number", () => {
    expect(() => parametersOf(entry(AGGREGATION_RULES, "krum"), { f: 1.5 })).toThrow(
      /must be a whole number/,
    );
  });
});

describe.each([...SERVER_STEPS.values()])("server step $name", (step) => {
  const parameters = parametersOf(step);
  const blockOf = (change: Float64Array, values: Float64Array, round = 1) => ({
    ...{ round, change, values },
    states: Object.fromEntries(step.states.map((name) => [name, new Float64Array(change.length)])),
  });

  test("leaves what did not change as it is, and moves the rest with the change", () => {
    fc.assert(
      fc.property(vector, vector, (change, values) => {
        const before = values.slice();
        step.stepInPlace(blockOf(change, values), parameters);
        for (const [i, value] of values.entries()) {
          expect(Math.sign(value - at(before, i)) * Math.sign(at(change, i))).toBeGreaterThanOrEqual(0);
          if (at(change, i) === 0) expect(value).toBe(at(before, i));
        }
      }),
    );
  });

  test("gives the same however a tensor is cut into ranges", () => {
    fc.assert(
      fc.property(vector, fc.integer({ min: 0, max: SIZE }), (change, cut) => {
        const [whole, parts] = [new Float64Array(SIZE).fill(1), new Float64Array(SIZE).fill(1)];
        step.stepInPlace(blockOf(change, whole), parameters);
        step.stepInPlace(blockOf(change.subarray(cut), parts.subarray(cut)), parameters);
        step.stepInPlace(blockOf(change.subarray(0, cut), parts.subarray(0, cut)), parameters);
        expect(parts).toEqual(whole);
      }),
    );
  });
});

test("adam with the correction of Adam steps by its learning rate in the first round", () => {
  const adam = entry(SERVER_STEPS, "adam");
  const step = (parameters: object) => {
    const values = Float64Array.of(0, 0);
    const states = { mean: new Float64Array(2), square: new Float64Array(2) };
    adam.stepInPlace(
      { round: 1, change: Float64Array.of(5, -0.01), states, values },
      parametersOf(adam, { tau: 0, ...parameters }),
    );
    return [...values];
  };
  for (const [i, sign] of [1, -1].entries()) {
    expect(step({ correction: "adam" })[i]).toBeCloseTo(0.1 * sign, 12);
    // 0.1 sqrt(1 - 0.99^2) / (1 - 0.9^2) of a mean of 0.1 and a root mean square of 0.1 of the change.
    expect(step({})[i]).toBeCloseTo((0.1 * sign * Math.sqrt(1 - 0.99 ** 2)) / 0.19, 12);
    expect(step({ correction: "none" })[i]).toBeCloseTo(0.1 * sign, 12);
  }
});

test("every strategy names a rule and a server step that are there", () => {
  for (const [name, { rule, server, description }] of STRATEGIES) {
    expect(entry(AGGREGATION_RULES, rule).name, name).toBe(rule);
    expect(entry(SERVER_STEPS, server).name, name).toBe(server);
    expect(description).toMatch(/^[A-Z].*\.$/);
  }
  expect([...STRATEGIES.keys()]).toEqual(expect.arrayContaining(["fedavg", "fedavgm", "fedadam", "fedyogi"]));
});
