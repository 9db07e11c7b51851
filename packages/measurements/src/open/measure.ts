import { resolveFields, UsageError } from "@isthmus/core";
import type {
  AnyMeasurement,
  Control,
  MeasuredResult,
  Measurement,
  MeasurementEntry,
  SubjectName,
} from "@isthmus/findings";
import { type BuiltIn, listMeasurements, loadMeasurement } from "../measurements.ts";
import type { Opened, OpenedFacts } from "./opened.ts";
import { SUBJECT_OPTIONS, type SubjectOptions } from "./subject-options.ts";
import { withSubject } from "./with-subject.ts";

/**
 * Result of a measurement, and facts about how its subject was opened, as `isthmus VERB --json` prints them.
 */
export type Measured<R> = R & Pick<OpenedFacts, "alignment" | "binding">;

/** Files and functions that take what a measurement keeps and makes while it runs. */
export type MeasureControl<R> = Partial<
  Pick<Control<R>, "journalPath" | "saveNetwork" | "saveGraph" | "onPart" | "measurePairs">
>;

/**
 * Options of {@link measure}: the ones that name the architecture and the examples of the subject, the ones
 * of the measurement, and controls of its run.
 */
export type MeasureOptions<M> =
  M extends Measurement<infer S, infer O, infer R>
    ? SubjectOptions[S] & Omit<O, keyof SubjectOptions[S]> & MeasureControl<R>
    : never;

/** Options of {@link measure} for a measurement of one's own, which the compiler does not know. */
export type AnyMeasureOptions = Partial<SubjectOptions["pair"]> &
  MeasureControl<MeasuredResult> &
  Readonly<Record<string, unknown>>;

/** Kind of a measurement of Isthmus, or a measurement of one's own. */
type Measurable = keyof BuiltIn | MeasurementEntry;

type OptionsFor<W extends Measurable> = W extends keyof BuiltIn
  ? MeasureOptions<BuiltIn[W]>
  : AnyMeasureOptions;

type ResultFor<W extends Measurable> = W extends keyof BuiltIn
  ? BuiltIn[W] extends Measurement<SubjectName, infer _, infer R>
    ? Measured<R>
    : never
  : Measured<MeasuredResult>;

/**
 * Opens networks and examples, measures them, and closes them, as a command of `isthmus` does.
 *
 * Options have the names that they have on a command line, in camel case; defaults are the same. The scale of
 * bytes is `scaling`, in place of `--mean` and `--std`. Settings of a training are the options of `train`.
 *
 * @param what - kind of a measurement of Isthmus, or what `defineMeasurement` returned
 * @param networks - files of the networks; none for a measurement that trains its own, which `net` describes
 * @throws UsageError if there is no such measurement, or an option is missing, unknown, or contradicts
 *   another
 * @throws InputError if a file cannot be read, or the data do not fit
 * @throws MismatchError if networks and architecture do not fit each other
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measure } from "isthmus";
 *
 * const folder = "examples/mnist-mlp";
 * const result = await measure("layers", [`${folder}/s0.safetensors`, `${folder}/s1.safetensors`], {
 *   engine: createOnnxRuntimeEngine(),
 *   graph: `${folder}/graph.onnx`,
 *   data: "mnist:test@200",
 *   align: { method: "weight", seed: 0 },
 *   points: 3,
 * });
 * assert.equal(result.kind, "layers");
 * assert(result.alignment?.verified.passed); // as the second network was aligned first
 * ```
 */
export async function measure<W extends Measurable>(
  what: W,
  networks: string | readonly string[],
  options: OptionsFor<W>,
): Promise<ResultFor<W>> {
  return (await measureAny(what, networks, options as AnyMeasureOptions)) as ResultFor<W>;
}

async function measureAny(
  what: Measurable,
  networks: string | readonly string[],
  options: AnyMeasureOptions,
): Promise<Measured<MeasuredResult>> {
  const measurement = typeof what === "string" ? await findMeasurement(what) : await what.load();
  const { attempt, options: fields, subject } = measurement;
  const paths = typeof networks === "string" ? [networks] : networks;
  assertSubject(measurement, paths, options);
  const chosen = chosenOf(measurement, options);
  const request = {
    measurement,
    paths,
    options: options as SubjectOptions["pair-on-sets"] & SubjectOptions["training"],
    resolved: resolveFields(attempt, fields, chosen),
    seed: chosen["seed"] as number | undefined,
  };
  return withSubject(subject, request, async (opened) => {
    const resolved = resolveFields(attempt, fields, { ...chosen, ...opened.implied });
    const { alignment, binding } = opened;
    const measured = await measurement.run(opened.subject, resolved, controlOf(options, opened));
    return { ...measured, ...(alignment && { alignment }), ...(binding && { binding }) };
  });
}

async function findMeasurement(kind: string): Promise<AnyMeasurement> {
  const measurement = await loadMeasurement(kind);
  if (measurement !== undefined) return measurement;
  const kinds = listMeasurements().map((entry) => entry.kind);
  throw new UsageError(`Cannot measure "${kind}" as its kind must be one of ${kinds.join(", ")}`);
}

/** Numbers of networks that subjects are made of; other subjects are made of one network or more. */
const COUNTS: { readonly [S in SubjectName]?: number } = {
  network: 1,
  landscape: 1,
  weights: 1,
  pair: 2,
  "pair-on-sets": 2,
  "unlike-pair": 2,
  "weights-of-pair": 2,
  plane: 3,
  training: 0,
};

/**
 * Checks that as many networks are named as the subject is made of, and that an engine and examples are given
 * if it has some.
 */
function assertSubject(
  { attempt, subject }: AnyMeasurement,
  paths: readonly string[],
  { engine, data }: AnyMeasureOptions,
): void {
  const count = COUNTS[subject];
  if (count === undefined ? paths.length === 0 : paths.length !== count)
    throw new UsageError(
      `Cannot ${attempt} as the number of networks must be ${count ?? "at least 1"}: got ${paths.length}`,
    );
  if (!("engine" in SUBJECT_OPTIONS[subject])) return;
  if (engine === undefined)
    throw new UsageError(
      `Cannot ${attempt} as networks must be run: give an "engine", such as createOnnxRuntimeEngine()`,
    );
  if (data === undefined)
    throw new UsageError(
      `Cannot ${attempt} as it needs examples: name them with "data", for example mnist:test`,
    );
}

const CONTROLS: { readonly [K in keyof MeasureControl<unknown>]-?: true } = {
  journalPath: true,
  saveNetwork: true,
  saveGraph: true,
  onPart: true,
  measurePairs: true,
};

/**
 * Returns the options of the measurement itself. Some of them decide, too, how the subject is opened, such as
 * the loss.
 */
function chosenOf(
  { options: fields, subject }: AnyMeasurement,
  options: AnyMeasureOptions,
): Readonly<Record<string, unknown>> {
  const isOfSubject = (name: string) =>
    Object.hasOwn(SUBJECT_OPTIONS[subject], name) && (fields[name]?.tasksOnly ?? !(name in fields));
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !isOfSubject(name) && !Object.hasOwn(CONTROLS, name)),
  );
}

function controlOf(
  { signal, onProgress, journalPath, saveNetwork, saveGraph, onPart, measurePairs }: AnyMeasureOptions,
  { restore = (network) => network }: Opened,
): Control<MeasuredResult> {
  return {
    signal,
    journalPath,
    measurePairs,
    saveGraph,
    report: (stage, done) => onProgress?.(stage, done),
    saveNetwork: saveNetwork && ((name, network, making) => saveNetwork(name, restore(network), making)),
    onPart: onPart ?? (() => {}),
  };
}
