/**
 * Measures how good one network is that is averaged once from clients that never met: each trains alone, from
 * a seed of its own, on its part of a data set, and sends its network to a server that has no examples.
 *
 *     npx tsx --conditions=@isthmus/source tools/federated/one-round.ts --out FOLDER [--net mlp:512x3]
 *         [--data mnist] [--examples 60000] [--test 10000] [--clients 10] [--alpha 0.5] [--epochs 12]
 *         [--batch 128] [--seed 0] [--many cycle] [--restarts 1] [--weigh no] [--by examples] [--only "*"]
 *         [--balanced] [--schedule constant] [--train-only]
 *
 * `--alpha` is the concentration of a Dirichlet partition; without it, parts are even and random. `--many` is
 * the method that aligns, cycle or merge-many, and `--restarts` the starts of cycle. `--weigh` weighs units in
 * the alignment by what clients know of them (inputs, classes, both; see `importance.ts`), and `--by` clients
 * in all averages: examples, even, or coverage (see `clients.ts`). `--only` names measurements: single,
 * ensemble, central, naive, aligned, rows, weighed, norms, moments, regmean, regmean-by-class, imagined,
 * regmean++, onto-outputs, second-round-1 and second-round-3 by epochs, layer-by-layer; of networks with batch
 * norms also naive-norms, aligned-norms and repair, which has 1,000 training examples at the server. The
 * network of imagined is kept in FOLDER, to be checked by other programs.
 *
 * `--net` may be the file of a graph with weights as inputs. If it has batch norms, the average gets the
 * statistics that clients measure of it before layers are fitted, and convolutions and layers with more than
 * 1,024 inputs stay averages where linear layers are fitted.
 *
 * Trained and aligned networks and moments are stored in FOLDER and used again, so that a run that was
 * stopped goes on. Prints one JSON object for each measurement, on the first `--test` test examples, or all;
 * `upload` is the bytes that each client sends, in f32, and `rounds` is how often the server and the clients
 * talk, if not once.
 */
import { join } from "node:path";
import { at, type Checkpoint, matchesAny, saveCheckpoint, sizeOf } from "@isthmus/core";
import { averagePredictions, predictionQuality } from "@isthmus/ensemble";
import { createEvaluator, limitExamples } from "@isthmus/graph";
import { createProducts } from "@isthmus/linear-algebra";
import { fisherMerge } from "@isthmus/merging";
import { createRepairer } from "@isthmus/statistics";
import { averageClients, averageRowsByClass, rescaleRows } from "./averages.ts";
import { bytesOfMoments, findLinearLayers } from "./client-moments.ts";
import { findNorms, poolNorms } from "./client-norms.ts";
import { regressOntoOutputs } from "./cross-moments.ts";
import { regressOntoImagined } from "./imagine.ts";
import { importanceOf } from "./importance.ts";
import { averageLayerByLayer, averageOnceMore, regressLayerByLayer } from "./layer-by-layer.ts";
import { averageByRegression } from "./regression.ts";
import { repairByMoments } from "./repair-by-moments.ts";
import { readSetting } from "./setting.ts";
import { alignClients, measureClients, trainAlone, trainCentrally } from "./stored.ts";

const setting = await readSetting();
const { architecture, clients, test, many, described, only, seed } = setting;
const evaluator = await createEvaluator(architecture, test, { batchSize: 500, threads: 1 });
const products = createProducts(architecture.engine, 1);
const MODEL_BYTES = [...architecture.graph.weights.values()].reduce(
  (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1),
  0,
);
/** Ridge of regressions, as a share of the mean diagonal of Gram matrices. */
const RIDGE = 0.001;
/** Examples that are drawn for each client, where layers are fitted on imagined inputs. */
const DRAWS = 1000;
const wanted = (name: string) => matchesAny(only, name);
const round = (x: number) => Number(x.toFixed(4));

function print(name: string, numbers: Record<string, unknown>): void {
  console.log(JSON.stringify({ measurement: name, ...numbers, ...described }));
}

async function measure(name: string, network: Checkpoint, upload = MODEL_BYTES, more = {}): Promise<void> {
  const { loss, error } = await evaluator.evaluate(network);
  print(name, { accuracy: round(1 - error), loss: round(loss), upload, ...more });
}

const networks = await trainAlone(setting);
if (setting.trainOnly) process.exit(0);
if (wanted("single")) {
  const singles = [];
  for (const network of networks) singles.push(1 - (await evaluator.evaluate(network)).error);
  const mean = singles.reduce((a, b) => a + b, 0) / singles.length;
  print("single", {
    best: round(Math.max(...singles)),
    mean: round(mean),
    worst: round(Math.min(...singles)),
    examples: clients.map(({ data }) => data.size),
  });
}
if (wanted("ensemble")) {
  const [p] = await averagePredictions({ ...architecture, data: [test] }, networks);
  const truth = test.read(0, test.size).labels;
  const { nll, accuracy } = predictionQuality(p as never, truth);
  print("ensemble", { accuracy: round(accuracy), loss: round(nll), upload: MODEL_BYTES });
}
if (wanted("central")) await measure("central", await trainCentrally(setting), 0);
const naive = averageClients({ networks, clients });
const hasNorms = findNorms(architecture.graph).length > 0;
if (wanted("naive")) await measure("naive", naive);
if (hasNorms && wanted("naive-norms")) {
  const { network, upload } = await poolNorms(architecture, naive, clients);
  await measure("naive, norms measured", network, MODEL_BYTES + upload, { rounds: 2 });
}

const layers = findLinearLayers(architecture.graph);
const own = await measureClients(setting, networks, layers);
const { networks: aligned, moments } = await alignClients(setting, networks, { layers, moments: own });
const cohort = { networks: aligned, clients, layers };
const average = averageClients(cohort);
if (wanted("aligned")) await measure(`${many}`, average);
if (hasNorms && wanted("repair")) {
  const examples = limitExamples("repair", setting.whole.data, 1000);
  const repairer = await createRepairer(architecture, aligned, examples, { threads: 1 });
  const total = clients.reduce((sum, { weight }) => sum + weight, 0);
  const shares = clients.map(({ weight }) => weight / total);
  await measure(`${many} repaired by 1,000 examples`, await repairer.repair(average, shares));
}
const pooled = hasNorms ? await poolNorms(architecture, average, clients) : { network: average, upload: 0 };
const mean = pooled.network;
const MEAN_BYTES = MODEL_BYTES + pooled.upload;
/** Exchanges of the server and the clients before layers are fitted: networks, then norms. */
const before = hasNorms ? 2 : 1;
if (hasNorms && wanted("aligned-norms")) {
  await measure(`${many}, norms measured`, mean, MEAN_BYTES, { rounds: before });
}
if (wanted("rows")) await measure(`${many} rows by class`, await averageRowsByClass(mean, cohort));
if (wanted("weighed")) {
  for (const weigh of ["inputs", "classes", "both"] as const) {
    const importance = importanceOf(architecture.graph, { layers, moments, clients }, weigh);
    // Numbers of each unit and class alone.
    const upload = at(moments, 0).reduce((sum, { mean: { length } }) => sum + 4 * length, MEAN_BYTES);
    await measure(`${many} weighed by ${weigh}`, fisherMerge(aligned, importance), upload);
  }
}
if (wanted("norms")) await measure(`${many} row norms`, await rescaleRows(mean, cohort));
const withMoments = MEAN_BYTES + bytesOfMoments(at(moments, 0));
if (wanted("moments")) {
  const repaired = await repairByMoments(mean, cohort, moments, products);
  await measure(`${many} repaired by moments`, repaired, withMoments);
}
for (const [name, byClass] of [
  ["regmean", false],
  ["regmean-by-class", true],
] as const) {
  if (!wanted(name)) continue;
  for (const ridge of [RIDGE, 0.0001]) {
    const fitted = await averageByRegression(mean, cohort, moments, { products, ridge, byClass });
    await measure(`${many} ${name}`, fitted, withMoments, { ridge, rounds: before });
  }
}
/** Whether the first layer that is fitted reads the examples themselves, as in a multilayer perceptron. */
const readsExamples = own.every(([first]) => first?.mean.length === sizeOf(test.exampleShape));
if (wanted("imagined") && readsExamples) {
  const options = { mean, products, ridge: RIDGE, draws: DRAWS, seed };
  const fitted = await regressOntoImagined(architecture, cohort, moments, options);
  await measure(`${many} onto imagined`, fitted, withMoments, { ridge: RIDGE, draws: DRAWS });
  await saveCheckpoint(fitted, join(setting.folder, `imagined-${setting.by}.safetensors`), {
    overwrite: true,
  });
}
if (wanted("regmean++")) {
  const options = { mean, products, ridge: RIDGE, byClass: true };
  const { network, upload } = await regressLayerByLayer(architecture, cohort, options);
  await measure(`${many} regmean++`, network, MEAN_BYTES + upload, { rounds: layers.length + before });
}
if (wanted("onto-outputs")) {
  let rounds = 0;
  for await (const fitted of regressOntoOutputs(architecture, cohort, { mean, products, ridge: RIDGE })) {
    // Moments of the inputs of the first layer of all come with the networks; of others they must be asked for.
    rounds = rounds === 0 && hasNorms ? before + 1 : rounds + 1;
    await measure(`${many} onto outputs`, fitted.network, MEAN_BYTES + fitted.upload, { rounds });
  }
}
for (const epochs of [1, 3]) {
  if (wanted(`second-round-${epochs}`)) {
    const start = await averageByRegression(mean, cohort, moments, { products, ridge: RIDGE, byClass: true });
    const again = await averageOnceMore(architecture, start, clients, { ...setting.local, epochs });
    await measure("second round", again, withMoments + MODEL_BYTES, { rounds: before + 1, epochs });
  }
}
if (wanted("layer-by-layer")) {
  const local = { ...setting.local, epochs: 2 };
  let rounds = 0;
  await averageLayerByLayer(architecture, cohort, {
    ...{ many, seed, local },
    async onLayer(network, upload) {
      rounds++;
      await measure("layer by layer", network, upload, { rounds, epochs: local.epochs });
    },
  });
}
