import { assertWholeOptions, at, type Checkpoint, InputError, resolveOptions } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet } from "@isthmus/graph";
import type { MeasuredViews } from "./activation-statistics.ts";
import { runOver } from "./run-over.ts";
import { ACTIVATION_STATISTICS_DEFAULTS, type ActivationStatisticsOptions } from "./statistics-options.ts";
import { type UnitPanel, UnitReader } from "./unit-view.ts";

/** Options of {@link sampleUnits}. */
export interface SampleUnitsOptions extends ActivationStatisticsOptions {
  /** Most samples of each unit; they are taken at equal distances. @defaultValue 4096 */
  readonly samples?: number;
}

/** Defaults of {@link sampleUnits}. */
export const SAMPLE_UNITS_DEFAULTS: Required<SampleUnitsOptions> = {
  ...ACTIVATION_STATISTICS_DEFAULTS,
  samples: 4096,
};

/**
 * Records the activations of the units of some values of a network on a data set. Samples are the same for
 * every network that is run with the same data and options.
 *
 * @returns activations `[units, samples]` of each view, in order
 * @throws InputError if the data do not fit the graph, or an activation is not f32, or not finite
 * @throws OutOfRangeError if an option is out of range, or a view names no value of the graph
 */
export async function sampleUnits(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  { views, ...options }: SampleUnitsOptions & MeasuredViews,
): Promise<Float32Array[]> {
  const { samples, ...resolved } = resolveOptions("sample activations", SAMPLE_UNITS_DEFAULTS, options);
  assertWholeOptions("sample activations", { samples }, { samples: 1 });
  const weights = await bindWeights(graph, network);
  const recorders = views.map((view) => ({
    reader: new UnitReader(view),
    recorder: new SampleRecorder(view.value, { most: samples, examples: data.size }),
  }));
  let seen = 0;
  const networks = [{ graph, engine, weights, views }];
  await runOver({ data, networks }, resolved, async ([values = new Map()]) => {
    const batch = Math.min(resolved.batchSize, data.size - seen);
    for (const { reader, recorder } of recorders) {
      recorder.add(reader.read(values.get(reader.view.value)), batch);
    }
    seen += batch;
  });
  return recorders.map(({ recorder }) => recorder.result());
}

/** Recorder of samples of the units of one value at equal distances. */
class SampleRecorder {
  readonly #value: string;
  readonly #limits: { readonly most: number; readonly examples: number };
  /** Activations `[units]` of each recorded sample. */
  readonly #samples: Float32Array[] = [];
  #seen = 0;
  #distance = 0;

  constructor(value: string, limits: { readonly most: number; readonly examples: number }) {
    this.#value = value;
    this.#limits = limits;
  }

  /** Adds the samples of a batch of some examples. */
  add({ data, outer, units, inner }: UnitPanel, examples: number): void {
    const count = outer * inner;
    const { most, examples: all } = this.#limits;
    this.#distance ||= Math.max(1, Math.ceil(((count / examples) * all) / most));
    for (let sample = 0; sample < count; sample++, this.#seen++) {
      if (this.#seen % this.#distance !== 0) continue;
      const begin = Math.floor(sample / inner) * units * inner + (sample % inner);
      const values = Float32Array.from({ length: units }, (_, unit) =>
        at(data, begin + unit * inner, "unit"),
      );
      if (!values.every(Number.isFinite)) {
        throw new InputError(
          `Cannot compare units of "${this.#value}" as activations must be finite: one of unit ${values.findIndex((value) => !Number.isFinite(value))} is not`,
          { input: this.#value },
        );
      }
      this.#samples.push(values);
    }
  }

  /** Returns the recorded samples, `[units, samples]`. */
  result(): Float32Array {
    const units = at(this.#samples, 0, "sample").length;
    const count = this.#samples.length;
    const result = new Float32Array(units * count);
    for (const [sample, values] of this.#samples.entries()) {
      for (let unit = 0; unit < units; unit++) result[unit * count + sample] = at(values, unit, "unit");
    }
    return result;
  }
}
