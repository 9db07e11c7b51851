import type { SimulatedTask, Workload } from "../core/cluster.ts";
import { costOf, type Measured } from "../measured.ts";

/** A study of very many networks. */
export interface ManyNetworks {
  readonly networks: number;
  readonly net: string;
  readonly epochs: number;
  readonly examples: number;
  /** Places of each path. */
  readonly points: number;
}

/** Networks of 64 units as star-table trains them, 30 epochs of 54,000 images, in as many pairs. */
export const MANY_NETWORKS_DEFAULTS: ManyNetworks = {
  ...{ networks: 10_000, net: "mlp:64", epochs: 30, examples: 54_000, points: 11 },
};

/**
 * Makes the workload of a study of many networks: each is trained, and of each two that follow each other, in
 * a ring, the second is aligned and the barrier is measured.
 */
export function manyNetworks(measured: Measured, options: Partial<ManyNetworks> = {}): Workload {
  const { networks, net, epochs, examples, points } = { ...MANY_NETWORKS_DEFAULTS, ...options };
  const [train, align, barrier] = [
    costOf(measured, "train", net),
    costOf(measured, "align", net),
    costOf(measured, "barrier", net),
  ];
  const sum = (files: Readonly<Record<string, number>>): number =>
    Object.values(files).reduce((total, size) => total + size, 0);
  const [trained, aligned, compared] = [sum(train.files), sum(align.files), sum(barrier.files)];
  const training: SimulatedTask = {
    kind: "train",
    seconds: train.perRound + train.perUnit * epochs * examples,
    ...{ reads: 0, writes: trained, after: [] },
  };
  const pairs = Array.from({ length: networks }, (_, index) => [index, (index + 1) % networks]);
  const aligning = pairs.map(
    (after): SimulatedTask => ({
      ...{ kind: "align", seconds: align.perRound, reads: 2 * trained, writes: aligned, after },
    }),
  );
  const measuring = pairs.map(
    (_, index): SimulatedTask => ({
      kind: "barrier",
      seconds: barrier.perRound + barrier.perUnit * points * examples,
      ...{ reads: 2 * trained + aligned, writes: compared, after: [networks + index] },
    }),
  );
  return {
    name: "many-networks",
    title: `Study of ${networks.toLocaleString("en")} networks`,
    tasks: [...Array.from({ length: networks }, () => training), ...aligning, ...measuring],
  };
}
