import {
  type Checkpoint,
  convertData,
  createCheckpoint,
  createRandom,
  entry,
  type Tensor,
  withTensors,
} from "@isthmus/core";
import { hessian, topEigenpairs } from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, randomWeights } from "@isthmus/graph";
import { moveMixture, toAlgebra } from "@isthmus/weight-matching";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { rotaryNetwork } from "../../../test/helpers/rotary-networks.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";
import { streamNetwork } from "../../../test/helpers/stream-networks.ts";
import { act, carry, carryBack, type Doubles, type Element, undo } from "../src/element.ts";
import { OBJECTIVE_KINDS, OBJECTIVES } from "../src/objectives/objectives.ts";
import { MOVES, type Orbit, openOrbit } from "../src/orbit.ts";
import { pullBack } from "../src/pull-back.ts";
import { teleport } from "../src/teleport.ts";

const engine = createOnnxRuntimeEngine();
const GRAPHS: Readonly<Record<string, Graph>> = {
  mlp: smallMlp(),
  cnn: smallCnn(),
  "layer norms": streamNetwork("layer"),
  rotary: rotaryNetwork("halves"),
};

/** A network whose gains and offsets are no ones and zeros. */
function networkOf(graph: Graph, seed: number): Checkpoint {
  const random = createRandom(seed, "gains");
  const nudge = (tensor: Tensor) =>
    tensor.dtype === "f32" && tensor.shape.length === 1
      ? {
          ...tensor,
          data: (tensor.data as Float32Array).map((value) => value + 0.3 + 0.4 * random.uniform()),
        }
      : tensor;
  return createCheckpoint(
    new Map([...randomWeights(graph, seed)].map(([name, tensor]) => [name, nudge(tensor)])),
    {},
    `network ${seed}`,
  );
}

const orbits = new Map<string, Promise<Orbit>>();

function orbitOf(name: string): Promise<Orbit> {
  const graph = entry(new Map(Object.entries(GRAPHS)), name, "graph");
  const orbit =
    orbits.get(name) ??
    openOrbit({ graph, engine }, networkOf(graph, 1), { seed: 1, moves: MOVES, signal: undefined });
  orbits.set(name, orbit);
  return orbit;
}

/** Moves an element along a random direction of the algebra of its group. */
function moved(orbit: Orbit, element: Element, { seed, size }: { seed: number; size: number }) {
  const random = createRandom(seed, "direction");
  const matrices = orbit.spaces.map((space) =>
    toAlgebra(
      Float64Array.from({ length: space.size ** 2 }, () => random.normal()),
      space.size,
      space.group,
    ),
  );
  const logarithms = element.scales.map(() => random.normal());
  const mixture = moveMixture(orbit.spaces, element.mixture, (index) =>
    entry(new Map(matrices.entries()), index, "space").map((value) => size * value),
  );
  const scales = element.scales.map((scale, i) => scale * Math.exp(size * (logarithms[i] as number)));
  return { element: { mixture, scales }, matrices, logarithms };
}

function products(one: ReadonlyMap<string, Float64Array>, other: ReadonlyMap<string, Float64Array>): number {
  let sum = 0;
  for (const [name, values] of one) {
    const others = entry(other, name, "weight");
    for (let i = 0; i < values.length; i++) sum += (values[i] as number) * (others[i] as number);
  }
  return sum;
}

const randomLike = (weights: Doubles, seed: number): Doubles => {
  const random = createRandom(seed, "gradient");
  return new Map([...weights].map(([name, values]) => [name, values.map(() => random.normal())]));
};

function distance(one: Doubles, other: Doubles): number {
  let most = 0;
  for (const [name, values] of one) {
    const others = entry(other, name, "weight");
    for (let i = 0; i < values.length; i++)
      most = Math.max(most, Math.abs((values[i] as number) - (others[i] as number)));
  }
  return most;
}

describe.each(Object.keys(GRAPHS))("the orbit of %s", (name) => {
  it("begins at the network, and every element has its inverse", async () => {
    const orbit = await orbitOf(name);
    const given = networkOf(entry(new Map(Object.entries(GRAPHS)), name, "graph"), 1);
    for (const [weight, values] of act(orbit, orbit.identity, orbit.base)) {
      const { data } = await given.read(weight);
      expect(Math.max(...values.map((value, i) => Math.abs(value - Number(data[i]))))).toBeLessThan(1e-9);
    }
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { element } = moved(orbit, orbit.identity, { seed, size: 0.3 });
        const changes = randomLike(orbit.base, seed);
        expect(
          distance(undo(orbit, element, act(withoutOrigins(orbit), element, changes)), changes),
        ).toBeLessThan(1e-9);
        const gradients = randomLike(orbit.base, seed + 1);
        expect(distance(carryBack(orbit, element, carry(orbit, element, gradients)), gradients)).toBeLessThan(
          1e-9,
        );
        // Gradients are carried so that their products with changes of weights stay.
        const both = products(carry(orbit, element, gradients), act(withoutOrigins(orbit), element, changes));
        expect(both).toBeCloseTo(products(gradients, changes), 7);
      }),
      { numRuns: 3 },
    );
  });

  it("has the derivatives that differences along it have", async () => {
    const orbit = await orbitOf(name);
    const start = moved(orbit, orbit.identity, { seed: 5, size: 0.2 }).element;
    const weights = act(orbit, start, orbit.base);
    const target = randomLike(weights, 9);
    // The sum of cubes by random factors has slopes of all weights.
    const cubes = (at: Doubles) =>
      products(
        target,
        new Map([...at].map(([weight, values]) => [weight, values.map((value) => value ** 3)])),
      );
    const gradients = new Map(
      [...weights].map(([weight, values]) => [
        weight,
        values.map((value, i) => 3 * (entry(target, weight, "weight")[i] as number) * value ** 2),
      ]),
    );
    const slope = pullBack(orbit, start, [{ gradients, moved: weights, areWeights: true }]);
    for (const seed of [1, 2]) {
      const at = (size: number) => moved(orbit, start, { seed, size });
      const { matrices, logarithms } = at(0);
      let predicted = 0;
      slope.matrices.forEach((matrix, space) => {
        matrix.forEach((value, i) => {
          predicted += value * (matrices[space]?.[i] as number);
        });
      });
      slope.scales.forEach((value, i) => {
        predicted += value * (logarithms[i] as number);
      });
      const size = 1e-4;
      const difference =
        (cubes(act(orbit, at(size).element, orbit.base)) - cubes(act(orbit, at(-size).element, orbit.base))) /
        (2 * size);
      expect(Math.abs(difference - predicted)).toBeLessThan(1e-5 * Math.max(1, Math.abs(predicted)));
    }
  });
});

/** An orbit whose scales multiply around 0, as they do changes of weights. */
function withoutOrigins(orbit: Orbit): Orbit {
  const weights = new Map(
    [...orbit.scales.weights].map(([name, layout]) => [name, { ...layout, origin: 0 }]),
  );
  return { ...orbit, scales: { ...orbit.scales, weights } };
}

describe("teleport()", () => {
  const graph = entry(new Map(Object.entries(GRAPHS)), "mlp", "graph");
  const data = randomExamples([6], { size: 40, classes: 4 });
  const options = { steps: 3, learningRate: 0.05, examples: 40, scheme: "channel", start: "given" } as const;

  it.each(OBJECTIVES)(
    "never makes %s worse, keeps what the network computes, and repeats",
    async (objective) => {
      for (const direction of ["lower", "raise"] as const) {
        const run = () =>
          teleport({ graph, engine }, networkOf(graph, 2), {
            ...options,
            objective,
            direction,
            data: objective === "quantization" ? undefined : data,
          });
        const { weights, result } = await run();
        const sign = direction === "lower" ? 1 : -1;
        expect(sign * (result.before - result.after)).toBeGreaterThanOrEqual(0);
        // A few steps may find no better rounding and no flatter place; all else gets better.
        const isHard = objective === "quantized-loss" || objective === "sharpness";
        if (!isHard) expect(result.after).not.toBe(result.before);
        expect(result.outputError).toBeLessThan(1e-5);
        const again = await run();
        for (const name of weights.tensors.keys())
          expect((await again.weights.read(name)).data).toEqual((await weights.read(name)).data);
      }
    },
  );

  it.each(["quantization", "quantized-loss"] as const)(
    "takes no slope of %s along one scale of all units, with which grids grow",
    async (objective) => {
      const network = networkOf(graph, 2);
      const orbit = await openOrbit({ graph, engine }, network, { seed: 1, moves: MOVES, signal: undefined });
      const place = { element: orbit.identity, weights: act(orbit, orbit.identity, orbit.base) };
      for (const scheme of ["channel", "tensor", "block"] as const) {
        const measuring = {
          seed: 1,
          examples: 40,
          batchSize: 40,
          bits: 4,
          scheme,
          signal: undefined,
        } as const;
        const opened = await OBJECTIVE_KINDS[objective].open({
          architecture: { graph, engine },
          network,
          orbit,
          data: objective === "quantization" ? undefined : data,
          options: measuring,
        });
        const { scales } = pullBack(orbit, orbit.identity, (await opened.slope(place)).pairings);
        await opened.release();
        const [sum, size] = [0, 1].map((power) =>
          scales.reduce((total, slope) => total + (power === 0 ? slope : Math.abs(slope)), 0),
        );
        expect(size).toBeGreaterThan(0);
        expect(Math.abs(sum ?? 1)).toBeLessThan(1e-5 * (size ?? 0));
      }
    },
  );

  it.each(["bf16", "f16"] as const)(
    "measures outputs with the weights that are written in %s",
    async (dtype) => {
      const tensors = new Map<string, Tensor>();
      const whole = networkOf(graph, 2);
      for (const name of whole.tensors.keys()) {
        const tensor = await whole.read(name);
        tensors.set(name, { ...tensor, dtype, data: convertData(tensor.data, tensor.dtype, dtype) });
      }
      const given = createCheckpoint(tensors);
      const { weights, result } = await teleport({ graph, engine }, given, { ...options, objective: "norm" });
      for (const { dtype: kept } of weights.tensors.values()) expect(kept).toBe(dtype);
      // Half a unit in the last place, and as much as a few layers make of it.
      const rounding = dtype === "bf16" ? 2 ** -9 : 2 ** -12;
      expect(result.outputError).toBeGreaterThan(rounding / 16);
      expect(result.outputError).toBeLessThan(16 * rounding);
    },
  );

  it("measures sharpness as the Hessian does, though gradients have kinks", async () => {
    const network = networkOf(graph, 2);
    const operator = await hessian({ graph, engine }, network, data, { examples: 40 });
    const [pair] = (await topEigenpairs(operator, { count: 1, steps: 30, tolerance: 1e-6 })).largest;
    await operator.release();
    const given = { ...options, objective: "sharpness", steps: 0, data } as const;
    const { result } = await teleport({ graph, engine }, network, given);
    expect(result.before / (pair?.value ?? 0)).toBeCloseTo(1, 3);
  });

  it("names weights that are not finite, and a start that the network has no symmetry for", async () => {
    const network = networkOf(graph, 2);
    const [name, tensor] = [...randomWeights(graph, 2)][0] ?? [];
    const broken = tensor && { ...tensor, data: (tensor.data as Float32Array).map(() => Number.NaN) };
    const damaged = withTensors(network, new Map(name && broken ? [[name, broken]] : []));
    await expect(teleport({ graph, engine }, damaged, options)).rejects.toThrow(`in "${name}"`);
    await expect(teleport({ graph, engine }, network, { ...options, start: "rotated" })).rejects.toThrow(
      /from the start "rotated"/,
    );
  });

  it("says that an objective needs examples, and that a graph has no symmetries to use", async () => {
    const network = networkOf(graph, 2);
    await expect(teleport({ graph, engine }, network, { objective: "sharpness" })).rejects.toThrow(
      /add --data/,
    );
    const still = await teleport({ graph, engine }, network, { moves: ["mixtures"], steps: 2 });
    expect(still.result.after).toBe(still.result.before);
    expect(still.result.groups).toEqual({ scales: [], mixtures: [], fixed: [], dropped: [] });
  });
});
