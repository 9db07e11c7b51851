import { at, type Checkpoint, meanOf } from "@isthmus/core";
import { personalNetwork } from "@isthmus/federated";
import { createEvaluator, type Evaluator } from "@isthmus/graph";
import { holdExamples } from "../examples/hold-examples.ts";
import { listPositions } from "../partitions/deal.ts";
import type { ClientResult, Fairness, RoundResult } from "../result/federation-run.ts";
import type { OpenClient, OpenFederation } from "./open-federation.ts";
import type { Position } from "./position.ts";

/** Loss and accuracy of one network, as a whole and by class. */
interface Score {
  readonly loss: number;
  /** Accuracy on all examples; missing if the loss has no errors. */
  readonly accuracy?: number;
  /**
   * Accuracy of each class, `[classes]`; 0 for a class without examples; missing if examples have no classes.
   */
  readonly byClass?: Float64Array;
}

/** Evaluates the global network, or, if clients keep tensors, the networks of the honest clients. */
export async function evaluateRound(
  federation: OpenFederation,
  position: Pick<Position, "network" | "clients">,
): Promise<Pick<RoundResult, "accuracy" | "loss" | "local">> {
  const honest = [...federation.clients.values()].filter(({ attacker }) => !attacker);
  const scores = await scoreClients(federation, position, honest);
  const mean = (of: (client: OpenClient, score: Score) => number) =>
    honest.reduce((sum, client, i) => sum + of(client, at(scores, i)), 0) / honest.length;
  return {
    ...(federation.evaluation.hasErrors && { accuracy: mean((_, score) => qualityOf(score)) }),
    loss: mean((_, { loss }) => loss),
    local: mean((client, score) => localQuality(client, score)),
  };
}

/** Evaluates the network of each client on examples like its own. */
export async function evaluateClients(
  federation: OpenFederation,
  position: Pick<Position, "network" | "clients">,
): Promise<readonly ClientResult[]> {
  const clients = [...federation.clients.values()];
  const scores = await scoreClients(federation, position, clients);
  return clients.map((client, i) => ({
    client: client.client,
    attacker: client.attacker,
    examples: client.positions.length,
    ...ofClient(localQuality(client, at(scores, i)), federation.evaluation.hasErrors),
  }));
}

/** Returns the accuracy of a client, or its loss if the loss has no errors. */
function ofClient(quality: number, hasErrors: boolean): Pick<ClientResult, "accuracy" | "loss"> {
  return hasErrors ? { accuracy: quality } : { accuracy: Number.NaN, loss: quality };
}

/** Summarizes how evenly accuracy, or the loss if it has no errors, is spread over the honest clients. */
export function fairnessOf(clients: readonly ClientResult[]): Fairness {
  // The largest losses are the worst.
  const qualities = clients
    .flatMap(({ attacker, accuracy, loss }) => (attacker ? [] : [loss === undefined ? accuracy : -loss]))
    .sort((a, b) => a - b)
    .map(Math.abs);
  const mean = meanOf(qualities);
  const worst = qualities.slice(0, Math.max(1, Math.floor(qualities.length / 10)));
  return {
    mean,
    std: Math.sqrt(meanOf(qualities.map((value) => (value - mean) ** 2))),
    worst: meanOf(worst),
  };
}

/** Returns the accuracy of a network, or its loss if the loss has no errors. */
export function qualityOf({ accuracy, loss }: Score): number {
  return accuracy ?? loss;
}

/**
 * Averages the accuracies of classes, weighted by the client's examples of each class; without classes,
 * returns the accuracy or loss of all examples.
 */
function localQuality({ labels, positions }: OpenClient, score: Score): number {
  const { byClass } = score;
  if (byClass === undefined) return qualityOf(score);
  return labels.reduce((sum, count, label) => sum + count * at(byClass, label), 0) / positions.length;
}

/** Scores the network of each client: one network and one pass for all, if they differ in classes only. */
async function scoreClients(
  federation: OpenFederation,
  { network, clients }: Pick<Position, "network" | "clients">,
  evaluated: readonly OpenClient[],
): Promise<readonly Score[]> {
  const { treatments, personal: names } = federation;
  let shared: Promise<Score> | undefined;
  const scores: Score[] = [];
  for (const client of evaluated) {
    const clientTensors = clients.get(client.client)?.personal;
    const personal =
      names.length === 0 || clientTensors === undefined
        ? network
        : personalNetwork(network, clientTensors, treatments);
    if (client.shift !== undefined || personal !== network) {
      scores.push(await scoreFor(federation, client, personal));
    } else {
      shared ??= scoreFor(federation, client, network);
      scores.push(await shared);
    }
  }
  return scores;
}

/** Scores a network on the examples to evaluate on, shifted as a client's examples are. */
export async function scoreFor(
  federation: OpenFederation,
  { client, shift }: OpenClient,
  network: Checkpoint,
): Promise<Score> {
  const { graph, engine, evaluation, description } = federation;
  if (shift === undefined) return score(federation, evaluation.evaluator, network);
  const shifted = holdExamples(evaluation.data, {
    name: `${evaluation.data.name} for ${client}`,
    positions: listPositions(evaluation.data.size),
    shift,
    seed: description.seed,
  });
  const evaluator = await createEvaluator({ graph, engine }, shifted, { threads: 1 });
  try {
    return await score(federation, evaluator, network);
  } finally {
    await evaluator.release();
  }
}

async function score(
  { evaluation: { data, labels, hasErrors } }: OpenFederation,
  evaluator: Evaluator,
  network: Checkpoint,
): Promise<Score> {
  const { loss, error, right } = await evaluator.evaluate(network);
  const whole = { loss, ...(hasErrors && { accuracy: 1 - error }) };
  if (labels === undefined) return whole;
  const [correct, counts] = [new Float64Array(data.classes), new Float64Array(data.classes)];
  for (let i = 0; i < labels.length; i++) {
    const label = at(labels, i);
    counts[label] = at(counts, label) + 1;
    correct[label] = at(correct, label) + at(right, i);
  }
  return {
    ...whole,
    byClass: correct.map((sum, label) => (at(counts, label) === 0 ? 0 : sum / at(counts, label))),
  };
}
