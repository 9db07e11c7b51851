// Measures the losses, deviations and planes that the figures draw, by the native engine on the processor, and writes them to
// page/src/figures/measured.json.
//
//   npx tsx --conditions=@isthmus/source page/measure-figures.ts
import { writeFileSync } from "node:fs";
import { measureBarrier, measurePlane } from "@isthmus/barrier";
import { at, type Checkpoint } from "@isthmus/core";
import { measureLandscape } from "@isthmus/curvature";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Architecture } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { findStar } from "@isthmus/star-domain";
import { activationStatistics, correctStatistics } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";
import { type TrainOptions, train } from "@isthmus/training";
import { align } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";

const TRAINING = {
  epochs: 8,
  batch: 64,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0.002 },
  schedule: { kind: "cosine", learningRate: 0.1 },
} as const satisfies Partial<TrainOptions>;

const engine = createOnnxRuntimeEngine();
const data = await openDataSet("mnist:train@6000");
const test = await openDataSet("mnist:test@2000");
const few = await openDataSet("mnist:test@1000");

/** Trains networks of one architecture from the seeds 0, 1, ... */
async function trainSeveral(name: string, count: number, options: Partial<TrainOptions> = TRAINING) {
  const { graph, initialize } = parseNetwork(name, data);
  const networks: Checkpoint[] = [];
  for (let seed = 0; seed < count; seed++) {
    networks.push((await train({ graph, engine }, initialize(seed), data, { ...options, seed })).weights);
  }
  return { architecture: { graph, engine }, networks };
}

async function alignPair(architecture: Architecture, a: Checkpoint, b: Checkpoint): Promise<Checkpoint> {
  const { networks } = await align(architecture, [a, b], { method: "weight", seed: 0 });
  return at(networks, 1, "network");
}

/** Keeps four digits, as no figure shows more. */
const short = (value: number) => Number(value.toPrecision(4));

async function line(architecture: Architecture, ends: readonly [Checkpoint, Checkpoint], points = 25) {
  const { points: places, barrier } = await measureBarrier(architecture, ends, test, { points });
  return {
    losses: places.map(({ loss }) => short(loss)),
    errors: places.map(({ error }) => short(error)),
    barrier: short(barrier.loss.chord),
  };
}

async function measureBasins() {
  const { architecture, networks } = await trainSeveral("mlp:64x3", 2);
  const [a, b] = [at(networks, 0, "network"), at(networks, 1, "network")];
  const aligned = await alignPair(architecture, a, b);
  const subject = (label: string, network: Checkpoint) => ({ label, network });
  const models = [subject("A", a), subject("B", b), subject("B aligned", aligned)] as const;
  const plane = await measurePlane(architecture, models, few, { points: 25, batchSize: 500 });
  const slices = [];
  for (const seed of [0, 1]) {
    const options = { points: 25, seed, batchSize: 500 };
    const { axes, loss } = await measureLandscape(architecture, { network: subject("A", a) }, few, options);
    slices.push({ seed, axes: axes.map((places) => places.map(short)), loss: loss.map(short) });
  }
  return {
    basins: { asTrained: await line(architecture, [a, b]), aligned: await line(architecture, [a, aligned]) },
    slices: {
      plane: {
        xs: plane.xs.map(short),
        ys: plane.ys.map(short),
        loss: plane.loss.flat().map(short),
        networks: plane.models.map(({ label, x, y, loss }) => ({
          label,
          x: short(x),
          y: short(y),
          loss: short(loss),
        })),
      },
      random: slices,
    },
  };
}

async function measureRepair() {
  const { architecture, networks } = await trainSeveral("mlp:64x6:he", 2, {
    epochs: 8,
    batch: 64,
    optimizer: { kind: "sgd", momentum: 0.9 },
    schedule: { kind: "cosine", learningRate: 0.05 },
  });
  const [a, b] = [at(networks, 0, "network"), at(networks, 1, "network")];
  const aligned = await alignPair(architecture, a, b);
  const middle = lerp(a, aligned, 0.5);
  const statistics = { statistics: "repair", networks: [a, aligned] } as const;
  const repaired = await correctStatistics(architecture, middle, data, statistics);
  const views = architecture.graph.nodes
    .filter(({ op }) => op === "Gemm")
    .map(({ outputs }) => ({ value: at(outputs, 0, "output"), axes: [1] }));
  const deviations = async (network: Checkpoint) => {
    const layers = await activationStatistics(architecture, network, test, { views });
    return layers.map(({ variance }) => short(Math.sqrt(variance.reduce((x, y) => x + y) / variance.length)));
  };
  const policy = async (choice: "keep" | "repair") => {
    const options = { points: 25, statistics: choice, statisticsData: data };
    const { points, barrier } = await measureBarrier(architecture, [a, aligned], test, options);
    return {
      losses: points.map(({ loss }) => short(loss)),
      errors: points.map(({ error }) => short(error)),
      barrier: short(barrier.loss.chord),
    };
  };
  return {
    deviations: {
      a: await deviations(a),
      b: await deviations(aligned),
      middle: await deviations(middle),
      repaired: await deviations(repaired),
    },
    keep: await policy("keep"),
    repair: await policy("repair"),
    unaligned: await line(architecture, [a, b]),
  };
}

async function measureStar() {
  const { architecture, networks } = await trainSeveral("mlp:32x2", 5);
  const symmetries = await discoverSymmetries(architecture);
  const star = { ...architecture, symmetries };
  const found = await findStar(star, networks, data, { ...TRAINING, epochs: 12, seed: 0 });
  const arms = [];
  for (const network of networks) {
    const aligned = await alignPair(architecture, found.star, network);
    arms.push(await line(architecture, [found.star, aligned], 13));
  }
  const sides = [];
  for (const [i, network] of networks.entries()) {
    const next = at(networks, (i + 1) % networks.length, "network");
    sides.push(await line(architecture, [network, await alignPair(architecture, network, next)], 13));
  }
  return { arms, sides };
}

const parts: Readonly<Record<string, () => Promise<unknown>>> = { measureBasins, measureRepair, measureStar };
const [only] = process.argv.slice(2);
if (only === undefined) {
  const measured = { ...(await measureBasins()), repair: await measureRepair(), star: await measureStar() };
  writeFileSync(new URL("./src/figures/measured.json", import.meta.url), `${JSON.stringify(measured)}\n`);
} else process.stdout.write(`${JSON.stringify(await parts[only]?.(), null, 1)}\n`);
