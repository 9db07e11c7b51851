import { createDice } from "./dice.ts";
import type { InputFolder } from "./input-folder.ts";
import { isOwnError } from "./is-own-error.ts";
import { countDescriptors, createMeter, type Reading } from "./meter.ts";
import type { FuzzInput, FuzzTarget } from "./target.ts";

/** Longest that reading an input may take, in milliseconds of one thread. */
const MOST_MS = 2000;
/** Longest by the clock, where others use the machine too. */
const MOST_WALL_MS = 20_000;
/** Most memory that reading an input may take, in bytes. */
const MOST_BYTES = 200e6;
/** Inputs after which everything that is loaded once has been. */
const WARM_UP = 200;

/** Something that must not happen, whatever a file holds. */
export interface Finding {
  /** What happened, alike for all inputs that did it. */
  readonly what: string;
  /** Number of the input that did it first. */
  readonly input: number;
}

/** What became of the inputs of a target. */
export interface Tally {
  readonly inputs: number;
  /** Inputs that were read without complaint. */
  readonly read: number;
  /** Inputs that were refused in our own words. */
  readonly refused: number;
  readonly slowestMs: number;
  readonly mostBytes: number;
  /** Open files after the warm-up and at the end. */
  readonly descriptors: readonly [number, number];
  /** Timers, sockets and the like after the warm-up and at the end. */
  readonly handles: readonly [number, number];
}

/** How {@link watchInputs} goes about it. */
export interface WatchOptions {
  readonly seed: number;
  readonly count: number;
  readonly folder: InputFolder;
  /** Called for each kind of finding once, while the files of the input are in the folder. */
  readonly onFinding: (finding: Finding) => void;
  /** Called before each input. */
  readonly onInput: (input: number) => void;
}

/** Reads inputs of a target one after another, and watches time, memory and errors of every one. */
export async function watchInputs(target: FuzzTarget, options: WatchOptions): Promise<Tally> {
  const { count, folder, onInput } = options;
  const meter = createMeter();
  const report = createReporter(options);
  const tally = { inputs: 0, read: 0, refused: 0, slowestMs: 0, mostBytes: 0 };
  let before = await countOpen();
  const valid = [...target.valid()];
  for (const input of inputsOf(target, valid, options)) {
    if (tally.inputs === Math.min(WARM_UP, count >> 1)) before = await countOpen();
    onInput(tally.inputs);
    folder.write(input);
    const end = meter.begin();
    const error = await target.read(folder.path).then(
      () => undefined,
      (reason: unknown) => ({ reason }),
    );
    const reading = end();
    if (error !== undefined && tally.inputs < valid.length) report.what("is valid and refused", tally.inputs);
    if (error === undefined) tally.read++;
    else if (await isOwnError(error.reason)) tally.refused++;
    else report.error(error.reason, tally.inputs);
    report.reading(reading, tally.inputs);
    tally.slowestMs = Math.max(tally.slowestMs, effortOf(reading));
    tally.mostBytes = Math.max(tally.mostBytes, reading.grownBytes);
    tally.inputs++;
    if (tally.inputs >= count) break;
  }
  meter.close();
  const after = await countOpen();
  if (after.descriptors > before.descriptors) report.what("files stay open", tally.inputs);
  return {
    ...tally,
    descriptors: [before.descriptors, after.descriptors],
    handles: [before.handles, after.handles],
  };
}

function* inputsOf(
  target: FuzzTarget,
  valid: readonly FuzzInput[],
  { seed }: WatchOptions,
): Generator<FuzzInput> {
  yield* valid;
  yield* target.bombs();
  const dice = createDice(seed, target.name);
  for (;;) yield target.make(dice);
}

/** Other programs lengthen the time by the clock; other threads of ours lengthen that of the processor. */
function effortOf({ wallMs, cpuMs }: Reading): number {
  return Math.min(wallMs, cpuMs);
}

function createReporter({ onFinding }: WatchOptions) {
  const told = new Set<string>();
  const what = (text: string, input: number): void => {
    if (told.has(text)) return;
    told.add(text);
    onFinding({ what: text, input });
  };
  return {
    what,
    error: (error: unknown, input: number): void => what(signatureOf(error), input),
    reading(reading: Reading, input: number): void {
      const { wallMs, grownBytes } = reading;
      if (effortOf(reading) > MOST_MS || wallMs > MOST_WALL_MS) what("takes more than 2 s", input);
      if (grownBytes > MOST_BYTES) what("takes more than 200 MB", input);
    },
  };
}

/** An error without what differs from input to input, and where it was thrown. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `throws no error: ${String(error)}`;
  const message = error.message.replace(/\d+/g, "N").replace(/"[^"]*"/g, '"…"');
  const place = error.stack?.split("\n").find((line) => /^\s+at .*packages\//.test(line)) ?? "";
  return `${error.name}: ${message.slice(0, 150)} ${place.trim().replace(/\(.*packages\//, "(")}`;
}

async function countOpen(): Promise<{ readonly descriptors: number; readonly handles: number }> {
  const { gc } = globalThis as { gc?: () => void };
  for (let round = 0; round < 3; round++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { descriptors: countDescriptors(), handles: process.getActiveResourcesInfo().length };
}
