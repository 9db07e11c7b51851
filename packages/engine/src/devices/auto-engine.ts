import { allocateData, messageOf, sizeOf, type Tensor } from "@isthmus/core";
import {
  type Engine,
  type Graph,
  holdFeeds,
  type LoadOptions,
  randomInputs,
  type WorkFor,
  withLoad,
} from "@isthmus/graph";
import { type Accelerator, engineOnDevice } from "./devices.ts";
import type { DeviceTrial } from "./try-device.ts";

/** Parts of an engine that chooses the device of each graph. */
export interface AutoParts {
  /** Engine on the processor. */
  readonly processor: Engine;
  /** Tries the other devices. */
  readonly listTrials: () => Promise<readonly DeviceTrial[]>;
  /** Returns the engine on a device that works. */
  readonly engineOf: (device: Accelerator) => Engine;
  /** Called with what was chosen, and why. */
  readonly onNote: (text: string) => void;
  /** Returns the time in milliseconds. @defaultValue the clock of the process */
  readonly now?: () => number;
}

/** Examples in the batch of a trial, if the graph takes batches of any size. */
const BATCH = 64;

/** Runs of a trial that are timed, after one that is not; the fastest counts. */
const TIMED_RUNS = 2;

/**
 * Returns an engine that tries each graph on every device that works, on zeros for weights and random
 * examples, and loads it on the fastest. Graphs alike in their inputs and number of nodes are tried once. Its
 * name is that of the device that it took last for a graph, before that `onnxruntime-auto`.
 */
export function createAutoEngine(parts: AutoParts): Engine {
  const { processor, listTrials, engineOf, onNote } = parts;
  const chosen = new Map<string, Promise<Engine>>();
  let name: string = engineOnDevice("auto");
  let devices: Promise<readonly Engine[]> | undefined;
  /** Returns an engine that names the choosing one after itself if it loads a graph. */
  const named = (engine: Engine) =>
    withLoad(engine, async (inner, graph, options = {}) => {
      const session = await inner.load(graph, options);
      if (options.optimize !== false) name = inner.name;
      return session;
    });
  const here = named(processor);
  const listEngines = async (): Promise<readonly Engine[]> => {
    const trials = await listTrials();
    const works = trials.filter((trial) => trial.works);
    if (works.length === 0) onNote(describeNone(trials));
    return works.map(({ device }) => named(engineOf(device)));
  };
  const chooseFor = async (workFor: WorkFor): Promise<Engine> => {
    devices ??= listEngines();
    const others = await devices;
    if (others.length === 0) return here;
    const { graph, options = {} } = await workFor(here);
    const key = keyOf(graph, options);
    const choice =
      chosen.get(key) ??
      choose(workFor, graph.name, { ...parts, processor: here, engines: [here, ...others] });
    chosen.set(key, choice);
    return choice;
  };
  return {
    get name() {
      return name;
    },
    note: onNote,
    // Graphs that run on different devices cannot take tensors from each other's memory.
    async load(graph, { staying: _, ...options } = {}) {
      if (options.optimize === false) return processor.load(graph, options);
      const engine = await chooseFor(async () => ({ graph, options }));
      return engine.load(graph, options);
    },
    choose: chooseFor,
  };
}

function describeNone(trials: readonly DeviceTrial[]): string {
  const reasons = trials.map(({ device, missing = "a driver" }) => `${device} needs ${missing}`);
  return `Graphs run on the processor, as no other device works here: ${reasons.join("; ")}`;
}

/** Returns a text that graphs have in common if they take as long as each other. */
function keyOf({ name, inputs, nodes, constants }: Graph, { threads, carried }: LoadOptions): string {
  return JSON.stringify([name, inputs, nodes.length, constants.size, threads, carried?.size]);
}

async function choose(
  workFor: WorkFor,
  name: string,
  {
    engines,
    processor,
    onNote,
    now = () => performance.now(),
  }: Pick<AutoParts, "processor" | "onNote" | "now"> & { readonly engines: readonly Engine[] },
): Promise<Engine> {
  const times: { readonly engine: Engine; readonly ms: number }[] = [];
  const words: string[] = [];
  for (const engine of engines) {
    try {
      const { graph, options = {} } = await workFor(engine);
      const ms = await timeRun(engine, graph, options, now);
      times.push({ engine, ms });
      words.push(`${engine.name} ${ms.toPrecision(3)} ms`);
    } catch (error) {
      words.push(`${engine.name} refuses it: ${messageOf(error)}`);
    }
  }
  const [fastest] = times.toSorted((a, b) => a.ms - b.ms);
  const { engine } = fastest ?? { engine: processor };
  onNote(`Graph "${name}" runs on ${engine.name}: ${words.join(", ")}`);
  return engine;
}

/** Returns the milliseconds of a run of a graph, after one that is not timed. */
async function timeRun(
  engine: Engine,
  graph: Graph,
  options: LoadOptions,
  now: () => number,
): Promise<number> {
  const session = await engine.load(graph, options);
  try {
    const weights = new Map([...graph.weights].map(([name, info]) => [name, zerosOf(info)]));
    const feeds = new Map([...randomInputs(graph, BATCH, 0), ...(await holdFeeds(session, weights))]);
    await session.run(feeds);
    const times: number[] = [];
    for (let run = 0; run < TIMED_RUNS; run++) {
      const began = now();
      await session.run(feeds);
      times.push(now() - began);
    }
    return Math.min(...times);
  } finally {
    await session.release();
  }
}

function zerosOf({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): Tensor {
  return { dtype, shape, data: allocateData(dtype, sizeOf(shape)) };
}
