import { type Checkpoint, defineCheckpoint, entry, sizeOf, toFloat64 } from "@isthmus/core";
import type { FactorLayout, LinearSymmetries } from "../linear/linear-symmetries.ts";
import { multiplyInPlace } from "../linear/multiply-units.ts";
import { randomShifts, shiftWeightInPlace } from "../shifts/shift-weights.ts";
import { mixInPlace } from "./mix-units.ts";
import type { MixedLayout, MixingSymmetries } from "./mixing-symmetries.ts";
import { gainFactors, readGains } from "./move-gains.ts";
import { occurrencesOf } from "./occurrences.ts";
import { randomMixture } from "./random-mixture.ts";

/** A network whose units were mixed, and the prediction of its values. */
export interface MixedNetwork {
  /** The mixed network, with the gains that it had before; lazy. */
  readonly network: Checkpoint;
  /** Names of values that no matrix predicts, such as squares inside of norms. */
  readonly unpredictable: ReadonlySet<string>;
  /** Changes the elements of a value of the network into the elements that the mixed network computes. */
  readonly predictInPlace: (value: string, data: Float32Array) => void;
}

/**
 * Mixes the units of a network by random matrices and shifts its logits: moves gains into the weights that
 * read them, mixes, and moves the gains back, so that each step acts on every value as well. Each weight is
 * changed when it is read.
 *
 * @param network - network of the graph, in f32
 * @throws UnsupportedError if a gain is 0
 */
export async function mixAmongGains(
  network: Checkpoint,
  { linear: { scales }, mixing }: { readonly linear: LinearSymmetries; readonly mixing: MixingSymmetries },
  seed: number,
): Promise<MixedNetwork> {
  const { spaces, shifts } = mixing;
  const stored = new Map<string, Float64Array>();
  for (const { gain } of mixing.gains) stored.set(gain, await readDoubles(network, gain));
  const gains = readGains(stored, mixing);
  const ones = new Map([...gains].map(([name, values]) => [name, values.map(() => 1)]));
  const away = gainFactors(scales, mixing, { before: gains, after: ones });
  const back = gainFactors(scales, mixing, { before: ones, after: gains });
  const mixture = randomMixture(spaces, seed);
  const amounts = randomShifts(shifts, seed);
  const mix = (values: Float32Array | Float64Array, layout: MixedLayout | undefined) => {
    if (layout !== undefined) mixInPlace(values, occurrencesOf(layout, spaces), mixture);
  };
  const scale = (values: Float32Array | Float64Array, layout: FactorLayout | undefined, by: Float64Array) => {
    if (layout !== undefined) multiplyInPlace(values, 0, layout, by);
  };
  return {
    network: defineCheckpoint({
      source: `${network.source} (mixed)`,
      tensors: network.tensors,
      metadata: network.metadata,
      inputs: [network],
      async readInto(name, begin, out) {
        if (!(out instanceof Float32Array)) return network.readRangeInto(name, begin, out);
        const size = sizeOf(entry(network.tensors, name, "tensor").shape);
        const isWhole = out.length === size;
        const values = isWhole ? out : new Float32Array(size);
        await network.readRangeInto(name, 0, values);
        scale(values, scales.weights.get(name), away);
        mix(values, mixing.weights.get(name));
        shiftWeightInPlace(values, name, { shifts, amounts });
        scale(values, scales.weights.get(name), back);
        if (!isWhole) out.set(values.subarray(begin, begin + out.length));
      },
    }),
    unpredictable: new Set([...mixing.unpredictable, ...shifts.flatMap(({ values }) => values)]),
    predictInPlace(value, data) {
      scale(data, scales.values.get(value), away);
      mix(data, mixing.values.get(value));
      scale(data, scales.values.get(value), back);
    },
  };
}

async function readDoubles(network: Checkpoint, name: string): Promise<Float64Array> {
  const { data, dtype } = await network.read(name);
  return toFloat64(data, dtype);
}
