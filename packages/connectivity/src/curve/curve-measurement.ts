import { type Checkpoint, entry } from "@isthmus/core";
import { type SaveNetwork, type Subjects, type TrainingMeasurement, titlesOfFiles } from "@isthmus/findings";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import { chooseTrainOptions } from "@isthmus/training";
import { CURVE_FIELDS, type CurveChoice } from "./curve-options.ts";
import type { CurveResult } from "./curve-result.ts";
import { describeCurve } from "./describe-curve.ts";
import { measureCurve } from "./measure-curve.ts";
import { type TrainedCurve, trainCurve } from "./train-curve.ts";

/** Approximate share of the work that training takes, for the progress. */
const TRAINING = 0.8;

/** Lists the names of the bends of a curve, from the first network on. */
const bendNames = (bends: number): readonly string[] =>
  Array.from({ length: bends }, (_, k) => `bend-${k + 1}`);

/**
 * Measurement that trains a curve of low loss between two networks, and measures it beside the straight line.
 */
export const CURVE: TrainingMeasurement<"pair", CurveChoice, CurveResult> = {
  kind: "curve",
  version: 2,
  attempt: "train a curve",
  subject: "pair",
  isOnLine: true,
  options: CURVE_FIELDS,
  examplesBeside: {
    trainOn: { help: "examples to train on", param: "trainingData", default: "training-split" },
  },
  trains: { leastEpochs: 1, optimizer: "sgd", on: "trainOn", param: "training" },
  makes: {
    help: "the bends: a file ending in .safetensors for one, or a folder",
    state: "curve",
    names: ({ bends }) => bendNames(bends),
  },
  journal: { keeps: "the finished steps", file: "state.safetensors" },
  examples: [
    [
      "--data mnist --epochs 3 -o bend.safetensors",
      "a Bezier curve with one bend; isthmus plane a b bend shows where it goes",
    ],
    [
      "--graph cnn.onnx --data fashion-mnist --curve chain --bends 3 --epochs 5 --lr 0.02 --weight-decay 5e-4 -o chain --resume",
      "a chain of four lines; start it again after an interruption and it goes on where it was",
    ],
  ],
  form: async () => (await import("./curve-form.ts")).CURVE_FORM,
  describe: describeCurve,
  titleOf: ({ a, b }) => `From ${titlesOfFiles([a, b]).join(" to ")}`,
  complete(options, { graph, beside }) {
    const data = entry(beside, "trainOn", "examples");
    return { ...options, ...chooseTrainOptions({ graph, data }, options) };
  },
  async run(subject, { points, statistics, batchSize, ...training }, control) {
    const { graph, engine, a, b, data, statisticsData, beside } = subject;
    const { signal, journalPath, report, saveNetwork } = control;
    const trained = await trainCurve({ graph, engine }, [a, b], entry(beside, "trainOn", "examples"), {
      ...training,
      ...(journalPath !== undefined && { statePath: journalPath, resume: true }),
      signal,
      onProgress: ({ step, steps, epoch, epochs, ...training }) =>
        report(`Epoch ${epoch + 1} of ${epochs}`, (TRAINING * step) / steps, false, training),
    });
    const result = await measureCurve({ graph, engine }, trained, data, {
      points,
      statistics,
      batchSize,
      statisticsData,
      signal,
      onProgress: ({ done }) => report("Measuring the curve and the line", TRAINING + (1 - TRAINING) * done),
    });
    if (saveNetwork !== undefined) await saveBends({ subject, trained, statistics, signal }, saveNetwork);
    return result;
  },
};

/** Trained curve whose bends are to be saved. */
interface Trained {
  readonly subject: Subjects["pair"];
  readonly trained: TrainedCurve;
  readonly statistics: CurveResult["statistics"];
  readonly signal: AbortSignal | undefined;
}

/** Saves every bend; statistics of batch norms are measured again unless they are kept. */
async function saveBends(
  { subject: { graph, engine, a, b, data, statisticsData = data }, trained, statistics, signal }: Trained,
  saveNetwork: SaveNetwork,
): Promise<void> {
  const { curve, result, trainingData } = trained;
  const bends = trained.points.slice(1, -1);
  const names = bendNames(bends.length);
  const { seed, batch } = result;
  const by = { curve, bends: bends.length, data: trainingData, epochs: result.epochs.length, batch, seed };
  const finish = async (bend: Checkpoint): Promise<Checkpoint> =>
    statistics === "keep" ? bend : recalibrateBatchNorm({ graph, engine }, bend, statisticsData, { signal });
  for (const [k, bend] of bends.entries())
    await saveNetwork(`${names[k]}`, await finish(bend), { from: [a, b], by: { ...by, bend: k + 1 } });
}
