import { createCheckpoint, createTensor, InputError, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import {
  type Architecture,
  type Classifier,
  type ClassProbabilities,
  createClassifier,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
} from "@isthmus/graph";
import { createHash, join, mkdir } from "@isthmus/platform";

/** Options of {@link openClassifier}. */
export interface OpenClassifierOptions {
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Folder in which predictions are stored; undefined if they are not stored. */
  readonly folder: string | undefined;
}

/** Name of the tensor that holds the probabilities in a file. */
const PROBABILITIES = "probabilities";
/** Number of hexadecimal digits of SHA-256 in the name of a file. */
const DIGEST_LENGTH = 32;

/**
 * Prepares class probabilities as `createClassifier` does, and stores them in a folder if one is named: the
 * predictions of each network are in a file whose name is a digest of all inputs that decide them, and the
 * next call reads exactly the same numbers from it.
 */
export async function openClassifier(
  { graph, engine }: Architecture,
  data: DataSet,
  { batchSize, folder }: OpenClassifierOptions,
): Promise<Classifier> {
  const classifier = await createClassifier({ graph, engine }, data, { batchSize });
  if (folder === undefined) return classifier;
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" && error.code !== "ENOTDIR") throw error;
    throw new InputError(
      `Cannot keep predictions in "${folder}" as it must be a folder: a file is there; name a folder, or a new one`,
      { input: folder },
    );
  });
  const task = [fingerprintGraph(graph), engine.name, fingerprintData(data), data.size, batchSize];
  return {
    ...classifier,
    async classify(network, signal) {
      const weights = await fingerprintWeights(graph, network);
      const digest = createHash("sha256")
        .update(JSON.stringify([...task, weights]))
        .digest("hex");
      const path = join(folder, `${digest.slice(0, DIGEST_LENGTH)}.safetensors`);
      const before = await readPredictions(path);
      if (before !== undefined) return before;
      const predictions = await classifier.classify(network, signal);
      const { probabilities, classes } = predictions;
      const tensor = createTensor("f64", [data.size, classes], probabilities);
      await saveCheckpoint(createCheckpoint(new Map([[PROBABILITIES, tensor]])), path, { overwrite: true });
      return predictions;
    },
  };
}

/**
 * Reads stored predictions; returns undefined if there are none. Files are written atomically, so that no
 * file is incomplete.
 */
async function readPredictions(path: string): Promise<ClassProbabilities | undefined> {
  const file = await openCheckpoint(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { data, shape } = await file.read(PROBABILITIES);
    const [, classes = 0] = shape;
    return { probabilities: Float64Array.from(data as Float64Array), classes };
  } finally {
    await file.close();
  }
}
