import { type Checkpoint, createCheckpoint } from "@isthmus/core";
import type { DataSet, Engine, Graph } from "@isthmus/graph";
import { type TrainOptions, train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type { Handling } from "../protocol.ts";
import type { Pair, PairChoice, TrainingNews } from "./story-requests.ts";
import { firstLayerOf } from "./units.ts";

/** How both networks are trained; the command that the page shows says the same. */
const TRAINING = {
  epochs: 8,
  batch: 64,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0.002 },
  schedule: { kind: "cosine", learningRate: 0.1 },
} as const satisfies Partial<TrainOptions>;

/** Steps between two pictures of the units. */
const STEPS_PER_PICTURE = 6;

/** Two trained networks of one architecture. */
export interface TrainedNetworks {
  readonly graph: Graph;
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  readonly choice: PairChoice;
  readonly seconds: number;
}

/** Returns the number of steps of a training on so many images. */
export function stepsOfTraining(images: number): number {
  return Math.ceil((TRAINING.epochs * images) / TRAINING.batch);
}

/** Trains two networks in turns, a step of each, and shows their units on the way. */
export async function trainPair(
  engine: Engine,
  data: DataSet,
  choice: PairChoice,
  { signal, report }: Handling<TrainingNews>,
): Promise<TrainedNetworks> {
  const { seeds, width } = choice;
  const { graph, initialize } = parseNetwork(`mlp:${width}x3`, data);
  const starts = [initialize(seeds[0]), initialize(seeds[1])] as const;
  const steps = picturesOf(stepsOfTraining(data.size));
  const show = createShow(report, signal);
  await show.take(0, 0, starts[0]);
  await show.take(1, 0, starts[1]);
  const began = performance.now();
  const trainOne = async (which: 0 | 1) => {
    const { weights } = await train({ graph, engine }, starts[which], data, {
      ...TRAINING,
      seed: seeds[which],
      signal,
      collect: { steps, take: (step, network) => show.take(which, step, network) },
      onProgress: ({ loss }) => show.tell(which, loss),
    });
    return weights;
  };
  const [a, b] = await Promise.all([trainOne(0), trainOne(1)]);
  return {
    graph,
    a: await named(a, "a.safetensors"),
    b: await named(b, "b.safetensors"),
    choice,
    seconds: (performance.now() - began) / 1000,
  };
}

/** Names a network by the file that it is saved in, which the description of a merge names. */
async function named(network: Checkpoint, file: string): Promise<Checkpoint> {
  const names = [...network.tensors.keys()];
  const tensors = await Promise.all(names.map(async (name) => [name, await network.read(name)] as const));
  return createCheckpoint(new Map(tensors), {}, file);
}

function picturesOf(steps: number): number[] {
  const pictures = Array.from(
    { length: Math.floor(steps / STEPS_PER_PICTURE) },
    (_, i) => (i + 1) * STEPS_PER_PICTURE,
  );
  return pictures.at(-1) === steps ? pictures : [...pictures, steps];
}

/** Gathers what both trainings show after a step, and reports it once both have come so far. */
function createShow(report: Handling<TrainingNews>["report"], signal: AbortSignal) {
  const losses: [number, number] = [Number.NaN, Number.NaN];
  const waiting = new Map<number, Float32Array>();
  return {
    tell(which: 0 | 1, loss: number): void {
      losses[which] = loss;
    },
    async take(which: 0 | 1, step: number, network: Checkpoint): Promise<void> {
      const units = await firstLayerOf(network);
      const other = waiting.get(step);
      if (other === undefined) waiting.set(step, units);
      else {
        waiting.delete(step);
        report({ step, losses: [losses[0], losses[1]], units: order(which, units, other) });
      }
      // The training yields here, so that a message of the page, such as to stop, can come in.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
    },
  };
}

function order(which: 0 | 1, units: Float32Array, other: Float32Array): Pair<Float32Array> {
  return which === 0 ? [units, other] : [other, units];
}
