import {
  at,
  BATCH_SIZE_FIELD,
  type FieldsOf,
  meanOf,
  OutOfRangeError,
  resolveFields,
  sumOf,
} from "@isthmus/core";
import { type Architecture, assertNetwork, bindWeights, type DataSet, type Graph } from "@isthmus/graph";
import { type Journal, openJournal } from "@isthmus/tasks";
import {
  ATTACK_FIELDS,
  type AttackOptions,
  completeAttack,
  type ResolvedAttack,
  rangeOf,
} from "./attack-options.ts";
import type { AttackedSource, AttackedTarget, AttackResult } from "./attack-result.ts";
import {
  type AttackedNetworks,
  type AttackSource,
  attackBatch,
  meanLogits,
  openSource,
} from "./attack-source.ts";
import { describeAttack } from "./describe-attack.ts";
import { createInputGradient, type InputGradient, type NetworkWeights } from "./input-gradient.ts";
import { markCorrect, readBatches, sumOfLosses } from "./read-batches.ts";

/** Progress of {@link measureAttack}. */
export interface AttackProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Name of the source on which examples are being made. */
  readonly source: string;
}

/** Options of {@link measureAttack} that are plain data. */
export interface MeasureAttackChoice extends AttackOptions {
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link MeasureAttackChoice}. */
export const MEASURE_ATTACK_FIELDS: FieldsOf<MeasureAttackChoice> = {
  ...ATTACK_FIELDS,
  batchSize: BATCH_SIZE_FIELD,
};

/** Inputs of the measurement of an attack beside its plain options. */
interface AttackRun {
  /**
   * File that stores the measurements of each batch, from which an interrupted attack goes on.
   * @defaultValue nothing is stored
   */
  readonly journalPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AttackProgress) => void) | undefined;
}

/** Options of {@link measureAttack}. */
export interface MeasureAttackOptions extends MeasureAttackChoice, AttackRun {}

const RUN_DEFAULTS: Required<AttackRun> = {
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

const ATTEMPT = "attack networks";

/**
 * Makes adversarial examples on some networks and measures their transfer to others: examples with small
 * changes that raise the cross-entropy of a surrogate network, of several together, or of several in turn
 * (LGV).
 *
 * All networks are of one architecture, in inference mode. The result does not change under the symmetries of
 * a network, except by rounding errors, if a gradient is close to 0 and its sign changes.
 * @throws OutOfRangeError if there are no sources, networks of a source or targets, or an option is out of
 *   its range
 * @throws UsageError if an option is unknown or does not belong to the attack
 * @throws MismatchError if a network does not fit the graph
 * @throws InputError if examples cannot change a little, such as words, or do not fit the graph
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws DOMException named AbortError if `signal` is aborted
 * @see Goodfellow et al. 2015 (FGSM); Madry et al. 2018 (PGD); Gubri et al. 2022 (LGV)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureAttack, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const a = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const b = await openCheckpoint("examples/mnist-mlp/s1.safetensors");
 * const data = await openDataSet("mnist:test@50");
 * const attacked = { sources: [{ name: "s0", networks: [a] }], targets: [a, b] };
 * const { sources } = await measureAttack(architecture, attacked, data, { method: "fgsm", epsilon: 0.1 });
 * const [itself, other] = sources[0]?.targets ?? [];
 * assert((itself?.success ?? 0) >= (other?.success ?? 1)); // stronger where the gradient is known
 * for (const network of [a, b]) await network.close();
 * ```
 */
export async function measureAttack(
  { graph, engine }: Architecture,
  { sources, targets }: AttackedNetworks,
  data: DataSet,
  options: MeasureAttackOptions = {},
): Promise<AttackResult> {
  const resolved = resolveFields(ATTEMPT, MEASURE_ATTACK_FIELDS, options, RUN_DEFAULTS);
  const { batchSize, journalPath, signal, onProgress } = resolved;
  const attack = completeAttack(ATTEMPT, resolved);
  assertNetworks(graph, { sources, targets });
  const run =
    journalPath === undefined
      ? {} // nothing is gone on from
      : await describeAttack({ graph, engine, data }, { sources, targets }, { ...attack, batchSize });
  const journal = await openJournal(journalPath, run);
  const gradients = await createInputGradient(ATTEMPT, { graph, engine, data }, batchSize);
  try {
    const opened = await Promise.all(targets.map((target) => bindWeights(graph, target)));
    const clean = opened.map(() => new Uint8Array(data.size));
    for (const batch of readBatches(data, gradients.batch)) {
      signal?.throwIfAborted();
      for (const [i, target] of opened.entries())
        markCorrect(await gradients.logits(target, batch), batch, at(clean, i, "target"));
    }
    const results: AttackedSource[] = [];
    for (const source of sources) {
      results.push(
        await attackBySource(
          {
            graph,
            gradients,
            data,
            attack,
            signal,
            journal,
            number: results.length + 1,
            targets: opened.map((weights, i) => ({ weights, clean: at(clean, i) })),
          },
          source,
          (share) => onProgress?.({ done: (results.length + share) / sources.length, source: source.name }),
        ),
      );
    }
    return {
      kind: "attack",
      ...attack,
      pixels: data.scaling !== undefined,
      sources: results,
      targets: targets.map(({ source }, i) => ({ network: source, accuracy: meanOf(at(clean, i)) })),
      data: data.name,
      examples: data.size,
      engine: engine.name,
    };
  } finally {
    await gradients.release();
  }
}

/** Target, and flags of the unchanged examples that it classifies correctly. */
interface OpenedTarget {
  readonly weights: NetworkWeights;
  readonly clean: Uint8Array;
}

/** Context that the sources of a measurement share. */
interface AttackJob {
  readonly graph: Graph;
  readonly gradients: InputGradient;
  readonly targets: readonly OpenedTarget[];
  readonly data: DataSet;
  readonly attack: ResolvedAttack;
  readonly signal: AbortSignal | undefined;
  readonly journal: Journal;
  /** Number of the current source, from 1. */
  readonly number: number;
}

async function attackBySource(
  { graph, gradients, targets, data, attack, signal, journal, number }: AttackJob,
  source: AttackSource,
  onShare: (share: number) => void,
): Promise<AttackedSource> {
  const opened = await openSource(graph, source, attack);
  const range = rangeOf(data);
  const after = targets.map(() => new Uint8Array(data.size));
  const loss = { before: 0, after: 0 };
  for (const batch of readBatches(data, gradients.batch)) {
    signal?.throwIfAborted();
    const numbers = await journal.get(`source ${number}, from example ${batch.begin}`, async () => {
      const changed = { ...batch, inputs: await attackBatch(gradients, opened, batch, { attack, range }) };
      for (const [i, { weights }] of targets.entries())
        markCorrect(await gradients.logits(weights, changed), batch, at(after, i, "target"));
      return [
        sumOfLosses(await meanLogits(gradients, opened, batch), batch),
        sumOfLosses(await meanLogits(gradients, opened, changed), batch),
        ...after.flatMap((marks) => [...marks.subarray(batch.begin, batch.begin + batch.count)]),
      ];
    });
    loss.before += at(numbers, 0, "loss") / data.size;
    loss.after += at(numbers, 1, "loss") / data.size;
    for (const [i, marks] of after.entries())
      marks.set(numbers.slice(2 + i * batch.count, 2 + (i + 1) * batch.count), batch.begin);
    onShare((batch.begin + batch.count) / data.size);
  }
  return {
    name: source.name,
    mode: source.mode ?? "together",
    networks: source.networks.map((network) => network.source),
    loss,
    targets: targets.map(({ clean }, i) => describeTarget(clean, at(after, i))),
  };
}

function describeTarget(clean: Uint8Array, after: Uint8Array): AttackedTarget {
  const right = sumOf(clean);
  const fooled = clean.reduce((sum, one, i) => sum + (one === 1 && after[i] === 0 ? 1 : 0), 0);
  return { success: right === 0 ? null : fooled / right, accuracy: meanOf(after) };
}

function assertNetworks(graph: Graph, { sources, targets }: AttackedNetworks): void {
  const empty = sources.find(({ networks }) => networks.length === 0);
  if (sources.length === 0 || targets.length === 0 || empty !== undefined) {
    const without =
      empty === undefined
        ? `${sources.length} sources and ${targets.length} targets`
        : `none in "${empty.name}"`;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as there must be at least one network to make examples on, and one to show them to: there are ${without}`,
    );
  }
  const networks = [...sources.flatMap((source) => source.networks), ...targets];
  for (const network of networks) assertNetwork(graph, network);
}
