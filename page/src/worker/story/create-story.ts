import { measureBarrier } from "@isthmus/barrier";
import type { Checkpoint } from "@isthmus/core";
import { createWebEngine } from "@isthmus/engine/web";
import { type Architecture, createClassifier, type DataSet } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import type { Handlers, Handling } from "../protocol.ts";
import { type AlignedNetworks, alignPair } from "./align-pair.ts";
import { type Digits, PIXELS, readDigits } from "./digits.ts";
import { loadFiles } from "./load-files.ts";
import { measureMap } from "./measure-map.ts";
import { fileOf } from "./story-file.ts";
import type { MeasuredLine, Opened, Pair, Place, StoryRequests } from "./story-requests.ts";
import { stepsOfTraining, type TrainedNetworks, trainPair } from "./train-pair.ts";
import { firstLayerOf } from "./units.ts";

/** Number of test images whose readings are shown. */
const SHOWN = 24;

/** Places on the line at which it is measured, both ends among them. */
const PLACES = 25;

/** Test images in one engine call. */
const BATCH = 500;

/** Everything that was made so far. */
interface State {
  readonly engine: Architecture["engine"];
  readonly digits: Pair<Digits>;
  readonly pair?: TrainedNetworks;
  readonly aligned?: AlignedNetworks;
}

/** Creates the handlers of the story's requests, which share the networks that were made last. */
export function createStory(): Handlers<keyof StoryRequests> {
  let state: State | undefined;
  const opened = () => need(state, "story.open");
  return {
    async "story.open"(params, handling) {
      state = await open(params, handling);
      return describe(state.digits);
    },
    async "story.train"(choice, handling) {
      const { engine, digits } = opened();
      const pair = await trainPair(engine, digits[0].data, choice, handling);
      state = { engine, digits, pair };
      return { seconds: pair.seconds, units: [await firstLayerOf(pair.a), await firstLayerOf(pair.b)] };
    },
    async "story.measure"({ aligned }, { signal, report }) {
      const { engine, digits, pair, aligned: found } = opened();
      const { graph, a, b } = need(pair, "story.train");
      const end = aligned ? need(found, "story.align").b : b;
      return measureLine({ graph, engine }, [a, end], digits[1].data, { signal, report });
    },
    async "story.align"({ seed }, handling) {
      const { engine, digits, pair } = opened();
      const { graph, a, b } = need(pair, "story.train");
      const aligned = await alignPair({ graph, engine }, [a, b], seed, handling);
      state = { engine, digits, pair: need(pair, "story.train"), aligned };
      return aligned.told;
    },
    async "story.map"(_, handling) {
      const { engine, digits, pair, aligned } = opened();
      const { graph, a, b } = need(pair, "story.train");
      const networks = { a, b, aligned: need(aligned, "story.align").b };
      return measureMap({ graph, engine }, networks, digits[1].data, handling);
    },
    async "story.file"({ file }) {
      const { pair, aligned } = opened();
      return fileOf(file, need(pair, "story.train"), aligned);
    },
  };
}

/** Returns what an earlier request must have made. */
function need<T>(made: T | undefined, request: string): T {
  if (made !== undefined) return made;
  throw new TypeError(`Cannot answer as ${request} must be asked for first`);
}

async function open(
  { digits, engine, engineBytes }: StoryRequests["story.open"]["params"],
  { signal, report }: Handling<{ readonly done: number }>,
): Promise<State> {
  // The engine asks for its file again, and gets it from the browser's cache.
  const wasm = new URL("ort-wasm-simd-threaded.wasm", engine).href;
  const files = loadFiles([wasm], engineBytes, { signal, onDone: (done) => report({ done }) });
  const response = await fetch(digits, { signal });
  if (!response.ok || response.body === null) {
    throw new TypeError(`Cannot load the digits: the server answers ${response.status}`);
  }
  const read = await readDigits(response.body);
  await files;
  return { engine: await createWebEngine({ files: engine }), digits: read };
}

function describe([training, test]: Pair<Digits>): Opened {
  return {
    trainingSize: training.data.size,
    testSize: test.data.size,
    steps: stepsOfTraining(training.data.size),
    images: test.images.slice(0, SHOWN * PIXELS),
    labels: test.labels.slice(0, SHOWN),
  };
}

async function measureLine(
  architecture: Architecture,
  ends: Pair<Checkpoint>,
  data: DataSet,
  { signal, report }: Handling<Place>,
): Promise<MeasuredLine> {
  const began = performance.now();
  const { points, barrier } = await measureBarrier(architecture, ends, data, {
    points: PLACES,
    batchSize: BATCH,
    signal,
    onProgress: ({ point }) => report(point),
  });
  const readings = await readShown(architecture, ends, data);
  const seconds = (performance.now() - began) / 1000;
  return { places: points, barrier: barrier.loss.chord, readings, seconds };
}

/** Reads the first images by the network at each place. */
async function readShown(
  architecture: Architecture,
  [a, b]: Pair<Checkpoint>,
  data: DataSet,
): Promise<Uint8Array> {
  const shown = { ...data, size: SHOWN };
  const classifier = await createClassifier(architecture, shown, { batchSize: SHOWN });
  const readings = new Uint8Array(PLACES * SHOWN);
  for (let place = 0; place < PLACES; place++) {
    const { probabilities, classes } = await classifier.classify(lerp(a, b, place / (PLACES - 1)));
    for (let image = 0; image < SHOWN; image++) {
      const row = probabilities.subarray(image * classes, (image + 1) * classes);
      readings[place * SHOWN + image] = row.indexOf(Math.max(...row));
    }
  }
  await classifier.release();
  return readings;
}
