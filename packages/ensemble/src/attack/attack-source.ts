import { at, type Checkpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { bindWeights, type Graph } from "@isthmus/graph";
import type { ExampleRange, ResolvedAttack } from "./attack-options.ts";
import type { AttackedBatch, InputGradient, NetworkWeights } from "./input-gradient.ts";
import { ascendInPlace, type Ball, projectInPlace, scatterInPlace } from "./perturb.ts";

/**
 * Modes in which several networks make one attack: `together`, by the mean of their logits at every step;
 * `in-turn`, by one network in each step, in an order drawn by the seed, as for networks of a large geometric
 * vicinity (LGV).
 */
export const SOURCE_MODES = ["together", "in-turn"] as const;
/** Mode in which several networks make one attack, see {@link SOURCE_MODES}. */
export type SourceMode = (typeof SOURCE_MODES)[number];

/** Networks, one or several, on which adversarial examples are made. */
export interface AttackSource {
  /** Name of the source, for tables. */
  readonly name: string;
  /** Networks that attack together or in turn, at least one. */
  readonly networks: readonly Checkpoint[];
  /** Mode of the attack by several networks. @defaultValue "together" */
  readonly mode?: SourceMode;
}

/** Networks on which examples are made, and networks that are attacked with them. */
export interface AttackedNetworks {
  /** Sources of adversarial examples. */
  readonly sources: readonly AttackSource[];
  /** Networks that are attacked with the examples of every source. */
  readonly targets: readonly Checkpoint[];
}

/** Source with its weights in memory. */
export interface OpenedSource {
  /** Weights of each network, in the order in which networks attack. */
  readonly networks: readonly NetworkWeights[];
  /** Mode of the attack by several networks. */
  readonly mode: SourceMode;
}

/** Reads the weights of a source, in the order in which its networks attack. */
export async function openSource(
  graph: Graph,
  { networks, mode = "together" }: AttackSource,
  { seed }: ResolvedAttack,
): Promise<OpenedSource> {
  const order = Uint32Array.from(networks, (_, i) => i);
  if (mode === "in-turn") createRandom(seed, "networks in turn").shuffleInPlace(order);
  const opened: NetworkWeights[] = [];
  for (const index of order) opened.push(await bindWeights(graph, at(networks, index, "network")));
  return { networks: opened, mode };
}

/** Batch of examples, and its position among all examples. */
export interface PlacedBatch extends AttackedBatch {
  /** Index of the first example, which decides the seeds of random starts. */
  readonly begin: number;
}

/**
 * Makes adversarial examples of a batch. A single step uses all networks together in both modes, as no
 * further steps follow.
 * @returns the changed examples
 */
export async function attackBatch(
  gradients: InputGradient,
  source: OpenedSource,
  { inputs, labels, begin }: PlacedBatch,
  { attack, range }: { readonly attack: ResolvedAttack; readonly range: ExampleRange },
): Promise<Tensor> {
  const { norm, steps, seed } = attack;
  const originals = inputs.data as Float32Array;
  const changed = originals.slice();
  const size = changed.length / labels.length;
  const ball: Ball = { norm, radius: attack.epsilon * range.unit, channels: range.channels };
  const rowOf = (numbers: Float32Array, row: number) => numbers.subarray(row * size, (row + 1) * size);
  if (attack.randomStart) {
    for (let row = 0; row < labels.length; row++)
      scatterInPlace(rowOf(changed, row), ball, createRandom(seed, `start of example ${begin + row}`));
  }
  const tensor = createTensor("f32", inputs.shape, changed);
  for (let step = 0; step < steps; step++) {
    const networks = attack.steps > 1 ? networksOf(source, step) : source.networks;
    const slopes = await meanGradient(gradients, networks, { inputs: tensor, labels });
    for (let row = 0; row < labels.length; row++) {
      const example = rowOf(changed, row);
      ascendInPlace(example, rowOf(slopes, row), { ...ball, size: attack.stepSize * range.unit });
      projectInPlace(example, rowOf(originals, row), ball);
    }
  }
  return tensor;
}

const networksOf = ({ networks, mode }: OpenedSource, step: number): readonly NetworkWeights[] =>
  mode === "in-turn" ? [at(networks, step % networks.length, "network")] : networks;

/** Computes the gradient of the cross-entropy of the mean logits of networks, up to a positive factor. */
async function meanGradient(
  gradients: InputGradient,
  networks: readonly NetworkWeights[],
  batch: AttackedBatch,
): Promise<Float32Array> {
  const [only, ...rest] = networks;
  if (only !== undefined && rest.length === 0) return gradients.gradient(only, batch);
  const logits: Float32Array[] = [];
  for (const network of networks) logits.push(await gradients.logits(network, batch));
  const total = sumOf(logits);
  const slopes: Float32Array[] = [];
  for (const [i, network] of networks.entries()) {
    const scores = at(logits, i, "network");
    const others = total.map((sum, k) => sum - (scores[k] as number));
    slopes.push(await gradients.gradient(network, batch, { others, networks: networks.length }));
  }
  return sumOf(slopes);
}

/** Computes the mean logits of a source's networks. */
export async function meanLogits(
  gradients: InputGradient,
  { networks }: OpenedSource,
  batch: AttackedBatch,
): Promise<Float32Array> {
  const logits: Float32Array[] = [];
  for (const network of networks) logits.push(await gradients.logits(network, batch));
  return sumOf(logits).map((sum) => sum / networks.length);
}

function sumOf(arrays: readonly Float32Array[]): Float32Array {
  const total = Float32Array.from(at(arrays, 0, "array"));
  for (const array of arrays.slice(1)) {
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (array[i] as number);
  }
  return total;
}
