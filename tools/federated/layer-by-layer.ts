import { at, type Checkpoint, withTensors } from "@isthmus/core";
import type { Architecture } from "@isthmus/graph";
import { discoverSymmetries } from "@isthmus/symmetry";
import { alignMany, type ManyMethod } from "@isthmus/weight-matching";
import { averageClients, averageRowsByClass, type Cohort } from "./averages.ts";
import { bytesOfMoments, type Moments, measureMoments } from "./client-moments.ts";
import { type LocalTraining, trainClient } from "./clients.ts";
import { averageByRegression, type RegressionOptions } from "./regression.ts";

/** How layers are matched and retrained. */
export interface LayerByLayerOptions {
  /** Method that aligns the layers above again once they were retrained. */
  readonly many: ManyMethod;
  readonly seed: number;
  /** How clients retrain the layers above those that are frozen. */
  readonly local: LocalTraining;
  /** Called with the average of all layers so far after each layer, and the bytes each client has sent. */
  readonly onLayer?: (mean: Checkpoint, upload: number) => Promise<void>;
}

/**
 * Averages aligned networks layer by layer, as FedMA (Wang et al. 2020, algorithm 1): the units of a layer
 * are matched and its weights averaged; clients get the average, freeze it, and retrain the layers above on
 * their own examples; so on to the last layer, whose rows are averaged by examples of the class. It takes a
 * round of communication for each layer, in which the layers that are not frozen yet are sent.
 *
 * Differs from the paper: all layers that are not frozen are matched at once, so that a unit is matched by
 * what reads it, too, and the average has as many units as a client's network, where the paper's matching by
 * a beta-Bernoulli process may add units.
 * @param networks - of the cohort, aligned, which stands for the matching of the first layer
 */
export async function averageLayerByLayer(
  architecture: Architecture,
  { networks, clients, layers }: Cohort,
  { many, seed, local, onLayer }: LayerByLayerOptions,
): Promise<Checkpoint> {
  const symmetries = await discoverSymmetries(architecture);
  const hidden = symmetries.spec.symmetries.map(({ name }) => name);
  let current = [...networks];
  let upload = 0;
  let mean = averageClients({ networks: current, clients });
  for (const [l, { weight, bias }] of layers.entries()) {
    upload += bytesFrom(
      architecture,
      layers.slice(l).flatMap((layer) => [layer.weight, layer.bias]),
    );
    const skip = hidden.slice(0, l);
    if (l > 0 && l < layers.length - 1) {
      current = [...(await alignMany(architecture, current, { seed, many, symmetries, skip })).networks];
    }
    mean = averageClients({ networks: current, clients });
    await onLayer?.(await averageRowsByClass(mean, { networks: current, clients, layers }), upload);
    if (l === layers.length - 1) break;
    const frozen = new Map([
      [weight, await mean.read(weight)],
      [bias, await mean.read(bias)],
    ]);
    const freeze = layers.slice(0, l + 1).flatMap((layer) => [layer.weight, layer.bias]);
    const retrained: Checkpoint[] = [];
    for (const [i, client] of clients.entries()) {
      const start = withTensors(at(current, i), frozen);
      retrained.push(await trainClient(architecture, start, client, { ...local, freeze }));
    }
    current = retrained;
  }
  return averageRowsByClass(mean, { networks: current, clients, layers });
}

/** Options of {@link regressLayerByLayer}. */
export interface RegressLayersOptions extends RegressionOptions {
  /** Network whose layers are replaced one after another. */
  readonly mean: Checkpoint;
}

/**
 * Fits linear layers one after another as `averageByRegression` does, with moments that clients measure on
 * the layers that are fitted already (RegMean++). Each layer is a round of communication: the server sends
 * the layer before, clients send the moments of this one.
 * @returns the network, and the bytes that each client sends for moments
 */
export async function regressLayerByLayer(
  architecture: Architecture,
  cohort: Cohort,
  { mean, ...options }: RegressLayersOptions,
): Promise<{ readonly network: Checkpoint; readonly upload: number }> {
  let network = mean;
  let upload = 0;
  for (const layer of cohort.layers) {
    const moments: Moments[][] = [];
    for (const { data } of cohort.clients) {
      moments.push(await measureMoments(architecture, network, data, [layer]));
    }
    upload += bytesOfMoments(at(moments, 0));
    const isLast = layer === cohort.layers.at(-1);
    const only = { ...cohort, layers: [layer] };
    network = await averageByRegression(network, only, moments, {
      ...options,
      byClass: options.byClass && isLast,
    });
  }
  return { network, upload };
}

/**
 * Makes one more round as in federated averaging: each client trains from the same network, and the results,
 * which share a basin, are averaged by examples.
 */
export async function averageOnceMore(
  architecture: Architecture,
  start: Checkpoint,
  clients: Cohort["clients"],
  local: LocalTraining,
): Promise<Checkpoint> {
  const networks: Checkpoint[] = [];
  for (const client of clients) networks.push(await trainClient(architecture, start, client, local));
  return averageClients({ networks, clients });
}

function bytesFrom({ graph }: Architecture, names: readonly string[]): number {
  return names.reduce(
    (sum, name) => sum + 4 * (graph.weights.get(name)?.shape ?? [0]).reduce((a, b) => a * b, 1),
    0,
  );
}
