import { asFloat32, entry, resolveOptions, type Tensor, toFloat64 } from "@isthmus/core";
import { type Architecture, randomInputs, runAll, withSharedSessions } from "@isthmus/graph";
import { randomShifts, shiftLogitsInPlace } from "../shifts/shift-weights.ts";
import { compareInPlace } from "../verify/compare-values.ts";
import { measureSensitivity } from "../verify/measure-sensitivity.ts";
import { summarizeErrors, type ValueError, type ValueSummary } from "../verify/summarize-errors.ts";
import { trialWeights, VALUE_TRIAL_DEFAULTS, type ValueTrialOptions } from "../verify/trial-options.ts";
import { type MixingMatrix, type Mixture, mixInPlace } from "./mix-units.ts";
import type { KnownSymmetries, MixingSymmetries } from "./mixing-symmetries.ts";
import { type DoubleWeights, moveGainsInPlace, readGains } from "./move-gains.ts";
import { occurrencesOf } from "./occurrences.ts";
import { randomMixture } from "./random-mixture.ts";

/** Options of {@link verifyMixing}. */
export type VerifyMixingOptions = ValueTrialOptions;

/** Result of {@link verifyMixing}. */
export interface VerifyMixingResult extends ValueSummary {
  /** Largest error of an output after gains are restored, relative to its largest element. */
  readonly restoredError: number;
}

/**
 * Proves mixtures by trying them all at once: moves gains into the weights that read them, mixes every space
 * by a random matrix of its group, shifts logits, and compares every value that the graph computes with its
 * prediction; then restores the gains and compares the outputs with the original ones.
 *
 * @throws MismatchError if the weights do not fit the graph
 * @throws UnsupportedError if a gain is 0
 * @throws EngineError if the engine cannot run the graph
 */
export async function verifyMixing(
  { graph, engine }: Architecture,
  symmetries: KnownSymmetries & { readonly mixing: MixingSymmetries },
  options: VerifyMixingOptions,
): Promise<VerifyMixingResult> {
  // One session runs the graph with all weights.
  return withSharedSessions(engine, (shared) => verify({ graph, engine: shared }, symmetries, options));
}

async function verify(
  { graph, engine }: Architecture,
  { permutations, linear, mixing }: KnownSymmetries & { readonly mixing: MixingSymmetries },
  options: VerifyMixingOptions,
): Promise<VerifyMixingResult> {
  const { seed, ...rest } = options;
  const resolved = resolveOptions("verify mixtures", VALUE_TRIAL_DEFAULTS, rest, ["seed"]);
  const { weights, signal } = resolved;
  const bound = await trialWeights(graph, { weights, seed });
  const inputs = randomInputs(graph, permutations.batch, seed);
  const run = (tensors: ReadonlyMap<string, Tensor>) => {
    signal?.throwIfAborted();
    return runAll(graph, engine, new Map([...inputs, ...tensors]));
  };
  const original = await run(bound);
  const values = new Map([...bound].map(([name, { data, dtype }]) => [name, toFloat64(data, dtype)]));
  const gains = readGains(values, mixing);
  moveGainsInPlace(values, linear.scales, mixing, new Map());
  const plain = withData(bound, values);
  const before = await run(plain);
  const mixture = randomMixture(mixing.spaces, seed);
  for (const [name, layout] of mixing.weights) {
    mixInPlace(entry(values, name, "weight"), occurrencesOf(layout, mixing.spaces), mixture);
  }
  shiftLogitsInPlace(values, mixing.shifts, randomShifts(mixing.shifts, seed));
  const after = await run(withData(bound, values));
  const errors = compareValues([before, after], mixing, mixture);
  const named = graph.nodes.flatMap(({ name, outputs }) => outputs.map((value) => ({ value, node: name })));
  const all = named.flatMap(({ value, node }): ValueError[] => {
    const error = errors.get(value);
    return error === undefined ? [] : [{ value, node, error, predictable: true }];
  });
  let summary = summarizeErrors(graph, resolved, all, new Map());
  if (!summary.passed) {
    const network = { inputs, weights: plain, values: before };
    summary = summarizeErrors(graph, resolved, all, await measureSensitivity(graph, engine, network, seed));
  }
  moveGainsInPlace(values, linear.scales, mixing, gains);
  const restored = await run(withData(bound, values));
  const restoredError = Math.max(
    ...graph.outputs.map(({ name }) =>
      compareInPlace(entry(original, name, "output"), entry(restored, name, "output")),
    ),
  );
  const passed = summary.passed && restoredError <= resolved.outputTolerance;
  return { ...summary, passed, restoredError };
}

/** Returns weights with other numbers, rounded to 32 bits; tensors that are not floating-point are kept. */
function withData(bound: ReadonlyMap<string, Tensor>, values: DoubleWeights): Map<string, Tensor> {
  return new Map(
    [...bound].map(([name, tensor]) => {
      const data = values.get(name);
      return tensor.dtype === "f32" && data !== undefined
        ? [name, { ...tensor, data: Float32Array.from(data) }]
        : [name, tensor];
    }),
  );
}

/** Computes the error of each value after it is mixed as predicted. */
function compareValues(
  [before, after]: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>],
  { spaces, values, unpredictable, shifts }: MixingSymmetries,
  mixture: Mixture<MixingMatrix>,
): Map<string, number> {
  const errors = new Map<string, number>();
  const shifted = new Set(shifts.flatMap((shift) => [...shift.values]));
  for (const [name, tensor] of before) {
    const other = after.get(name);
    if (other === undefined || unpredictable.has(name) || shifted.has(name)) continue;
    const layout = values.get(name);
    if (layout === undefined) {
      errors.set(name, compareInPlace(tensor, other));
      continue;
    }
    const data = asFloat32(tensor.data, tensor.dtype).slice();
    mixInPlace(data, occurrencesOf(layout, spaces), mixture);
    errors.set(name, compareInPlace({ ...tensor, dtype: "f32", data }, other));
  }
  return errors;
}
