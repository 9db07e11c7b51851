import { measureBarrier } from "@isthmus/barrier";
import { trainCurve } from "@isthmus/connectivity";
import { type Checkpoint, createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { simplexVertices } from "@isthmus/ensemble";
import { type Engine, randomWeights } from "@isthmus/graph";
import { createMatrix, createProducts, polarFactor } from "@isthmus/linear-algebra";
import { pruneNetwork, trainMasked } from "@isthmus/sparsity";
import { findStar } from "@isthmus/star-domain";
import { trainInSubspace } from "@isthmus/subspace";
import { discoverSymmetries } from "@isthmus/symmetry";
import { measureGradient, train } from "@isthmus/training";
import { matchLearned } from "@isthmus/weight-matching";
import { randomExamples } from "./random-examples.ts";
import { smallMlp } from "./small-networks.ts";
import { streamNetwork } from "./stream-networks.ts";

/** Work on small networks, which returns numbers: losses and weights. */
export type DeviceWork = (engine: Engine) => Promise<readonly number[]>;

const graph = smallMlp();
const data = randomExamples([6], { size: 32, classes: 4 });
const network = (seed: number): Checkpoint => createCheckpoint(randomWeights(graph, seed));
const OPTIONS = {
  seed: 0,
  epochs: 2,
  batch: 8,
  // Steps so small that rounding stays rounding.
  schedule: { kind: "constant", learningRate: 1e-3 },
} as const;

async function numbersOf(weights: Checkpoint): Promise<number[]> {
  const tensors: Tensor[] = await Promise.all([...weights.tensors.keys()].map((name) => weights.read(name)));
  return tensors.flatMap(({ data: values }) => Array.from(values as Float32Array));
}

/** Kinds of work that make steps, whose tensors stay on a device from step to step. */
export const STEPS: Readonly<Record<string, DeviceWork>> = {
  async training(engine) {
    const { weights, result } = await train({ graph, engine }, network(0), data, OPTIONS);
    return [result.loss, ...(await numbersOf(weights))];
  },
  async "training near a reference"(engine) {
    const proximal = { mu: 0.1, reference: network(1) };
    const { weights, result } = await train({ graph, engine }, network(0), data, { ...OPTIONS, proximal });
    return [result.loss, ...(await numbersOf(weights))];
  },
  async "training with masks"(engine) {
    const { weights, masks } = await pruneNetwork({ graph }, network(0), { sparsity: 0.5 });
    const trained = await trainMasked({ graph, engine }, { weights, masks }, data, OPTIONS);
    return [trained.result.loss, ...(await numbersOf(trained.weights))];
  },
  async curve(engine) {
    const options = { ...OPTIONS, curve: "bezier", bends: 1 } as const;
    const { path, result } = await trainCurve({ graph, engine }, [network(0), network(1)], data, options);
    return [result.loss, ...(await numbersOf(path(0.5)))];
  },
  async star(engine) {
    const { star, result } = await findStar({ graph, engine }, [network(0), network(1)], data, {
      ...OPTIONS,
      seed: 1,
    });
    return [result.loss, ...(await numbersOf(star))];
  },
  async simplex(engine) {
    const options = { ...OPTIONS, members: 2, made: [network(1)] };
    const numbers: number[] = [];
    for await (const { network: vertex } of simplexVertices({ graph, engine }, [network(0)], data, options))
      numbers.push(...(await numbersOf(vertex)));
    return numbers;
  },
  async subspace(engine) {
    const options = { ...OPTIONS, dimension: 5, freeze: ["l1.*"] };
    const { weights, result } = await trainInSubspace({ graph, engine }, network(0), data, options);
    return [result.loss, ...(await numbersOf(weights))];
  },
  async "learned alignment"(engine) {
    const stream = streamNetwork("rms");
    const symmetries = await discoverSymmetries({ graph: stream, engine: createOnnxRuntimeEngine() });
    const ends = [
      createCheckpoint(randomWeights(stream, 0)),
      createCheckpoint(randomWeights(stream, 1)),
    ] as const;
    const shape = (stream.inputs[0]?.shape ?? []).slice(1).map(Number);
    const { objective, transform } = await matchLearned(
      { graph: stream, engine, symmetries },
      ends,
      randomExamples(shape, { size: 32 }),
      { seed: 0, steps: 4, batchSize: 8, learningRate: 1e-4 },
    );
    return [objective.after, ...(await numbersOf(await transform(ends[1])))];
  },
};

/** A matrix of normal numbers, in f32. */
function randomMatrix(rows: number, columns: number) {
  const random = createRandom(rows, "matrix");
  return createMatrix(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => random.normal()),
  );
}

/** Other work, whose results are measured or merged. */
export const MEASURES: Readonly<Record<string, DeviceWork>> = {
  async barrier(engine) {
    const { points } = await measureBarrier({ graph, engine }, [network(0), network(1)], data, { points: 3 });
    return points.map(({ loss }) => loss);
  },
  async gradient(engine) {
    return numbersOf(await measureGradient({ graph, engine }, network(0), data));
  },
  async "polar factors"(engine) {
    const products = createProducts(engine);
    const factors = await Promise.all(
      [randomMatrix(64, 48), randomMatrix(40, 120)].map((matrix) => polarFactor(matrix, products)),
    );
    await products.release();
    return factors.flatMap(({ data: values }) => [...values]);
  },
};
