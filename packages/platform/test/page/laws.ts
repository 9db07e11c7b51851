import { gradient } from "@isthmus/autodiff";
import { type Checkpoint, createRandom, createTensor, sizeOf, type Tensor, viewBytes } from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { GraphBuilder, gemm, mul, reduceMean, sub, tanh } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { linear, merge, slerp, ties } from "@isthmus/merging";
import { compareBytes } from "@isthmus/platform";
import { discoverSymmetries, permute, randomAlignment, verifyAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import fc from "fast-check";
import { randomGraph } from "../../../../test/helpers/random-graph.ts";
import { randomNetwork } from "../../../../test/helpers/random-network.ts";
import { smallCnn } from "../../../../test/helpers/small-networks.ts";

/** A law that holds for every seed; it throws if it does not. */
type Law = (engine: Engine, seed: number) => Promise<void>;

async function assertEqual(a: Checkpoint, b: Checkpoint): Promise<void> {
  for (const name of a.tensors.keys()) {
    const [x, y] = [await a.read(name), await b.read(name)];
    if (compareBytes(viewBytes(x.data), viewBytes(y.data)) !== 0) throw new Error(`"${name}" differs`);
  }
}

const keepsFunction: Law = async (engine, seed) => {
  const graph = randomGraph(seed, 6);
  const { spec } = await discoverSymmetries({ graph, engine });
  const network = randomNetwork(graph, seed);
  const permuted = permute(randomAlignment(spec, seed), network, spec);
  const { passed, maxRelativeError } = await verifyAlignment({ graph, engine }, [network, permuted], {
    seed,
  });
  if (!passed) throw new Error(`outputs differ by ${maxRelativeError}`);
};

const recoversPermutation: Law = async (engine, seed) => {
  const graph = smallCnn();
  const { spec } = await discoverSymmetries({ graph, engine });
  const network = randomNetwork(graph, seed);
  const shuffled = permute(randomAlignment(spec, seed), network, spec);
  const { alignment } = await matchWeights({ spec, graph, engine }, [network, shuffled], { seed });
  await assertEqual(permute(alignment, shuffled, spec), network);
};

const mergesAlike: Law = async (_, seed) => {
  const x = randomNetwork(smallCnn(), seed);
  await assertEqual(merge([x, x], { method: linear }), x);
  await assertEqual(merge([x, x], { method: slerp, parameters: { t: 0.3 } }), x);
  await assertEqual(merge([x, x], { method: ties, base: x, parameters: { weight: 1 } }), x);
};

/** Distance of the two points of a difference, at which rounding and curvature of f32 weigh alike. */
const STEP = 1e-2;

const equalsDifferences: Law = async (engine, seed) => {
  const builder = new GraphBuilder("law", 17);
  const x = builder.input("x", { dtype: "f32", shape: [3, 4] });
  const hidden = tanh(gemm(x, builder.weight("u", { dtype: "f32", shape: [4, 5] })));
  const rest = sub(gemm(hidden, builder.weight("v", { dtype: "f32", shape: [5, 2] })), 0.5);
  const graph = builder.build([builder.rename(reduceMean(mul(rest, rest)), "loss")]);
  const random = createRandom(seed, "law");
  const draw = (shape: readonly number[]): Tensor =>
    createTensor(
      "f32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => random.uniform() * 2 - 1),
    );
  const point = new Map([
    ["x", draw([3, 4])],
    ["u", draw([4, 5])],
    ["v", draw([5, 2])],
  ]);
  const session = await engine.load(gradient(graph, { loss: "loss", withRespectTo: ["u", "v"] }));
  try {
    for (const name of ["u", "v"]) {
      const { shape, data } = point.get(name) ?? draw([]);
      const direction = draw(shape).data as Float32Array;
      const lossAt = async (step: number): Promise<number> => {
        const moved = (data as Float32Array).map((value, i) => value + step * (direction[i] as number));
        const results = await session.run(new Map([...point, [name, createTensor("f32", shape, moved)]]));
        return Number(results.get("loss")?.data[0]);
      };
      const slopes = (await session.run(point)).get(gradientName("loss", name))?.data as Float32Array;
      const slope = slopes.reduce((sum, value, i) => sum + value * (direction[i] as number), 0);
      const difference = ((await lossAt(STEP)) - (await lossAt(-STEP))) / (2 * STEP);
      if (!(Math.abs(slope - difference) < 1e-3 * (1 + Math.abs(slope))))
        throw new Error(`by ${name} the slope is ${slope}, and the difference ${difference}`);
    }
  } finally {
    await session.release();
  }
};

/** Laws by what they say, and how many cases of each are tried. */
export const LAWS: Readonly<Record<string, readonly [law: Law, cases: number]>> = {
  "a permuted network computes what it computed": [keepsFunction, 8],
  "matching finds a permutation again": [recoversPermutation, 6],
  "a merge of a network with itself is that network": [mergesAlike, 10],
  "gradients are what differences are": [equalsDifferences, 15],
};

/** Tries a law with seeds from a seed, and returns how many cases were tried. */
export async function tryLaw(engine: Engine, name: string, seed: number): Promise<number> {
  const [law, numRuns] = LAWS[name] ?? [() => Promise.reject(new Error(`no law "${name}"`)), 1];
  let cases = 0;
  const property = fc.asyncProperty(fc.nat({ max: 2 ** 31 - 1 }), async (each) => {
    cases++;
    await law(engine, each);
  });
  await fc.assert(property, { numRuns, seed, endOnFailure: true });
  return cases;
}
