import { bindNetwork } from "@isthmus/barrier";
import { type Checkpoint, createRandom, entry, resolveFields } from "@isthmus/core";
import { type Architecture, bindWeights, type DataSet, fingerprintWeights, type Graph } from "@isthmus/graph";
import {
  type CurveKind,
  type CurvePoints,
  createCurve,
  curveCoefficients,
  lerp,
  type Path,
} from "@isthmus/interpolation";
import { type Blend, type TrainOptions, type TrainResult, trainBlend } from "@isthmus/training";
import { CURVE_SHAPE_FIELDS, type CurveShape } from "./curve-options.ts";

/** Options of {@link trainCurve}: the options of training, and the shape of the curve. */
export interface TrainCurveOptions extends TrainOptions, CurveShape {}

/** Trained curve between two networks. */
export interface TrainedCurve {
  /** Kind of the curve: it decides how the networks of `points` are blended at a place. */
  readonly curve: CurveKind;
  /** Networks of the curve: A, the bends, and B; in memory. */
  readonly points: CurvePoints;
  /** Path from A to B along the curve. */
  readonly path: Path;
  /** Name of the examples on which the bends were trained. */
  readonly trainingData: string;
  /** Results of the training; losses and accuracies were measured at random places of the curve. */
  readonly result: TrainResult;
}

/**
 * Trains a curve of low loss between two networks (Garipov et al. 2018). The bends start on the line between
 * the networks. Every step is made at a random place of the curve, uniformly over t, and moves each bend by
 * its share of the gradient of the loss and of the weight decay of the network there. The ends do not change.
 *
 * A step is one call of the engine, and a training that was stopped and resumes ends with the same bytes, as
 * in `trainBlend`. Batch norms use the statistics of the batch. Running statistics of the bends keep their
 * values on the line, so that networks of the curve need statistics that are measured again, as `measurePath`
 * does. Unlike in the authors' code, the reported loss does not contain weight decay, and AdamW's decay acts
 * on the bends.
 * @throws MismatchError if an end, the loss or the data do not fit the graph, or the state is of another
 *   training
 * @throws TypeError if an option is unknown
 * @throws RangeError if an option is out of its range
 * @throws InputError, FormatError, UnsupportedError, DivergenceError, EngineError, DOMException as `train`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, openDataSet, parseNetwork, trainCurve } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@200");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const architecture = { graph, engine: createOnnxRuntimeEngine() };
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const { path } = await trainCurve(architecture, ends, data, { seed: 0, epochs: 1, batch: 50 });
 * const middle = path(0.5); // a checkpoint, ready for saveCheckpoint
 * assert.equal(middle.tensors.size, graph.weights.size);
 * ```
 */
export async function trainCurve(
  architecture: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  { curve: named, bends: count, ...options }: TrainCurveOptions,
): Promise<TrainedCurve> {
  const { curve, bends } = resolveFields("train a curve", CURVE_SHAPE_FIELDS, { curve: named, bends: count });
  const { graph } = architecture;
  const ends = [await bindNetwork(graph, a), await bindNetwork(graph, b)] as const;
  const names = Array.from({ length: bends }, (_, k) => `bend ${k + 1}`);
  const blend = await createBlend({ graph, curve, ends, names, seed: options.seed });
  const { points, result } = await trainBlend(architecture, blend, data, options);
  const [start, end] = ends;
  const control: CurvePoints = [start, ...names.map((name) => entry(points, name, "bend")), end];
  return {
    curve,
    points: control,
    path: createCurve(curve, control),
    trainingData: data.name,
    result,
  };
}

/** Parts of a curve that decide the blend of every step. */
interface CurveBlend {
  readonly graph: Graph;
  readonly curve: CurveKind;
  readonly ends: readonly [Checkpoint, Checkpoint];
  readonly names: readonly string[];
  readonly seed: number;
}

/** Creates the blend whose points are the ends and the bends of a curve. */
async function createBlend({ graph, curve, ends: [a, b], names, seed }: CurveBlend): Promise<Blend> {
  const bends = names.length;
  const endWeights = new Map([
    ["a", await bindWeights(graph, a)],
    ["b", await bindWeights(graph, b)],
  ]);
  return {
    points: [
      { name: "a", trained: false },
      ...names.map((name) => ({ name, trained: true })),
      { name: "b", trained: false },
    ],
    decay: "blend",
    start: new Map(names.map((name, k) => [name, lerp(a, b, (k + 1) / (bends + 1))])),
    description: { curve, ends: [await fingerprintWeights(graph, a), await fingerprintWeights(graph, b)] },
    at(step) {
      const t = createRandom(seed, `place on the curve at step ${step}`).uniform();
      return { given: endWeights, coefficients: curveCoefficients(curve, bends + 2, t) };
    },
  };
}
