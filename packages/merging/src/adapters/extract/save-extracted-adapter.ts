import {
  type Checkpoint,
  createFolder,
  entry,
  InputError,
  isIsthmusError,
  MismatchError,
  OutOfRangeError,
  openCheckpoint,
  removeFolders,
  resolveOptions,
  sumOf,
} from "@isthmus/core";
import { join, realpath } from "@isthmus/platform";
import { type MergedTensors, type SaveMergeResult, saveMerge } from "../../executor/save-merge.ts";
import { assertNoModel } from "../assert-no-model.ts";
import { saveAdapterConfig, weightFileOf } from "../save-adapter.ts";
import { assertPlanMemory } from "./assert-memory.ts";
import { DEFAULT_RANK } from "./choose-ranks.ts";
import { describeBase } from "./describe-base.ts";
import {
  exactSideOf,
  type ResolvedExtraction,
  SAVE_EXTRACTED_DEFAULTS,
  type SaveExtractedOptions,
} from "./extract-options.ts";
import {
  type ModuleResidual,
  measureExtraction,
  type Residual,
  totalResidual,
} from "./measure-extraction.ts";
import { type ExtractionPlan, planExtraction } from "./plan-extraction.ts";
import { prepareTensors } from "./prepare-tensors.ts";
import type { Pair } from "./read-difference.ts";
import { openSurveyJournal, removeSurveyJournals, type SurveyJournal } from "./survey-journal.ts";
import { type NetworkSurvey, surveyNetworks } from "./survey-networks.ts";
import type { ExtractedTensor } from "./tensor-roles.ts";

/** A module with factors; what they leave is missing if it was not measured. */
export type ExtractedModule = Pick<ModuleResidual, "name" | "rank"> & Partial<Residual>;

/** Result of {@link saveExtractedAdapter}. */
export interface SaveExtractedResult {
  /** Folder of the adapter, and how its weights were written. */
  readonly output: Omit<SaveMergeResult, "tensors"> & {
    /** Counts of the tensors of the adapter: computed factors, and tensors that are copied whole. */
    readonly tensors: Omit<MergedTensors, "absent">;
  };
  /** Modules with factors, with their ranks and with what the factors leave if it was measured. */
  readonly modules: readonly ExtractedModule[];
  /** Residual of all modules together; null if it was not measured, or there are no factors. */
  readonly total: Residual | null;
  /**
   * Norm of the difference of the matrices that are stored as factors, as a share of their norm in the base;
   * of all tensors if there are no such matrices.
   */
  readonly distance: number;
  /** Names of tensors that are stored whole, unchanged ones of a module that changed included. */
  readonly whole: readonly string[];
  /** Modules that PEFT keeps whole, `modules_to_save`. */
  readonly savedModules: readonly string[];
  /** Number of tensors that did not change, and are left out. */
  readonly unchanged: number;
  /** Names of weights that changed, and for which a number of bytes left no rank. */
  readonly dropped: readonly string[];
}

/**
 * Distance above which two networks are hardly base and fine-tune: unrelated ones are about 1.4 apart, and
 * fine-tunes a few hundredths.
 */
const FAR = 0.7;

/**
 * Extracts the difference of a fine-tune from its base as a LoRA adapter, and saves it as a folder that PEFT
 * loads: matrices as factors of the largest singular values, and embeddings, norms, heads and biases whole
 * where they changed, so that base and adapter are the fine-tune as near as the ranks allow.
 *
 * Both networks are read tensor by tensor, within a limit of memory: once to compare them and to choose
 * ranks, once to compute factors, once to measure what the stored factors leave. Journals keep what is
 * finished: the same call goes on after the process was killed, the disk was full, or the signal was aborted.
 *
 * @param folder - folder of the adapter
 * @throws MismatchError if the networks have other names or shapes, or are equal
 * @throws OutOfRangeError if ranks are chosen in more than one way or out of range, or a number of bytes or
 *   the memory is too small
 * @throws UsageError if a pattern fits nothing, or only what a pattern of another option takes
 * @throws InputError if a number is not finite, the folder is that of a model, or it cannot be written
 *
 * Source: Eckart and Young, The approximation of one matrix by another of lower rank, 1936.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { saveExtractedAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const [base, tuned] = [network(1, 0, 0, 1), network(1, 2, 0, 1)];
 * const { modules } = await saveExtractedAdapter(base, tuned, "adapter", { energy: 0.95 });
 * assert.equal(modules[0]?.rank, 1);
 * ```
 */
export async function saveExtractedAdapter(
  base: Checkpoint,
  tuned: Checkpoint,
  folder: string,
  options: SaveExtractedOptions = {},
): Promise<SaveExtractedResult> {
  const resolved = resolveOptions("extract an adapter", SAVE_EXTRACTED_DEFAULTS, options);
  const pair = { base, tuned };
  const tensors = prepareTensors(pair, resolved);
  await assertNotInput(folder, pair);
  await assertNoModel(folder);
  const created = await createFolder(folder);
  try {
    return await compareAndSave(pair, { folder, tensors }, resolved);
  } catch (error) {
    if (isRefusal(error)) {
      await removeSurveyJournals(folder);
      await removeFolders(created);
    }
    throw error;
  }
}

/** Checks whether the same call would be refused again, so that its journals are of no use. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof OutOfRangeError ||
    isIsthmusError(error, "MismatchError") ||
    (isIsthmusError(error, "InputError") && /^Cannot (extract|save)/.test(error.message))
  );
}

async function compareAndSave(
  pair: Pair,
  { folder, tensors }: Pick<Surveyed, "folder" | "tensors">,
  resolved: ResolvedExtraction,
): Promise<SaveExtractedResult> {
  const { base, tuned } = pair;
  if (!resolved.resume) await removeSurveyJournals(folder);
  const journal = await openSurveyJournal(folder, [...base.files, ...tuned.files], settingsOf(resolved));
  if (journal.finished.size > 0) {
    resolved.onNote?.(
      `Going on with the comparison of the networks: ${journal.finished.size} tensors are compared`,
    );
  }
  const survey = await surveyNetworks(pair, tensors, journal, resolved);
  if (survey.factored.length + survey.whole.length === 0) {
    throw new MismatchError(
      `Cannot extract an adapter from "${tuned.source}" as it must differ from "${base.source}": all tensors that are not excluded are equal`,
      { parameters: [] },
    );
  }
  const distance = distanceOf(survey, tensors);
  if (distance > FAR) {
    resolved.onNote?.(
      `The matrices of "${tuned.source}" are ${distance.toFixed(2)} times the norm of the matrices of "${base.source}" away from these, as networks that were trained apart are: name the base that it was fine-tuned from`,
    );
  }
  return saveSurveyed(pair, { folder, tensors, survey, journal, distance }, resolved);
}

interface Surveyed {
  readonly folder: string;
  readonly tensors: readonly ExtractedTensor[];
  readonly survey: NetworkSurvey;
  readonly journal: SurveyJournal;
  readonly distance: number;
}

async function saveSurveyed(
  pair: Pair,
  { folder, tensors, survey, journal, distance }: Surveyed,
  options: ResolvedExtraction,
): Promise<SaveExtractedResult> {
  const { surveys, factored, whole, dropped } = survey;
  const singularValues = new Map([...surveys].map(([name, { values }]) => [name, values] as const));
  const { dtype, products } = options;
  const planned = planExtraction(pair, {
    tensors,
    factored,
    whole,
    dtype,
    products,
    exactUpTo: exactSideOf(options),
    passedOn: await describeBase(pair.base, options),
    async onValues(name, values) {
      singularValues.set(name, values);
      await journal.note({ ...entry(surveys, name, "tensor"), values });
    },
  });
  assertPlanMemory(planned, options);
  const output = await writeAdapter(planned, folder, options);
  const { merged, copied } = output.tensors;
  const modules: readonly ExtractedModule[] = options.measure
    ? await measure(
        pair,
        { folder, survey, planned, valuesOf: (name) => singularValues.get(name) ?? [] },
        options,
      )
    : factored.map(({ name, rank }) => ({ name: name.slice(0, -".weight".length), rank }));
  await removeSurveyJournals(folder);
  return {
    output: { ...output, path: folder, tensors: { merged, copied } },
    modules,
    total: modules.length > 0 && modules.every(isMeasured) ? totalResidual(modules) : null,
    distance,
    whole: [...planned.places.names.keys()],
    savedModules: planned.places.savedModules,
    unchanged: tensors.length - factored.length - whole.length - dropped.length,
    dropped,
  };
}

const isMeasured = (module: ExtractedModule): module is ModuleResidual => module.residual !== undefined;

async function writeAdapter(
  { plan, adapter }: ExtractionPlan,
  folder: string,
  options: ResolvedExtraction,
): Promise<SaveMergeResult> {
  const { memory, overwrite, resume, signal, device, maker, onStart, onNote, onProgress } = options;
  const output = await saveMerge(plan, join(folder, weightFileOf(adapter)), {
    memory,
    overwrite,
    resume,
    signal,
    device,
    // Each thread would compute the factors of a module anew.
    threads: 1,
    making: { verb: "extract", ...maker, ...settingsOf(options) },
    onStart,
    onNote,
    onProgress: ({ done }) => onProgress?.({ phase: "extracting", done }),
  });
  await saveAdapterConfig(adapter, folder);
  return output;
}

interface Written {
  readonly folder: string;
  readonly survey: NetworkSurvey;
  readonly planned: ExtractionPlan;
  readonly valuesOf: (weight: string) => readonly number[];
}

async function measure(
  pair: Pair,
  { folder, survey: { factored }, planned: { adapter }, valuesOf }: Written,
  options: ResolvedExtraction,
): Promise<readonly ModuleResidual[]> {
  const { products, signal, onProgress } = options;
  const stored = await openCheckpoint(join(folder, weightFileOf(adapter)));
  try {
    return await measureExtraction(
      pair,
      { adapter, stored, factored, valuesOf },
      {
        products,
        exactUpTo: exactSideOf(options),
        signal,
        onProgress: (done) => onProgress?.({ phase: "measuring", done }),
      },
    );
  } finally {
    await stored.close();
  }
}

/** Lists the settings that decide an adapter, and leaves out the others. */
function settingsOf(options: ResolvedExtraction): Readonly<Record<string, unknown>> {
  const { rank, energy, bytes, most, dtype, exact, saveModules, factorModules, exclude, products } = options;
  const ranks =
    energy === undefined && bytes === undefined ? { rank: rank ?? DEFAULT_RANK } : { energy, bytes, most };
  const all = { ...ranks, dtype, exact: exact || undefined, saveModules, factorModules, exclude };
  const settings = Object.entries({ ...all, products: products.name }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(settings);
}

/**
 * Returns the norm of the difference of the matrices as a share of their norm in the base. Norms and biases
 * are left out, as their weights of about one are alike in networks that were trained apart.
 */
function distanceOf({ surveys }: NetworkSurvey, tensors: readonly ExtractedTensor[]): number {
  const matrices = tensors.filter(({ role }) => role === "factors");
  const compared = (matrices.length === 0 ? tensors : matrices).map(({ name }) =>
    entry(surveys, name, "tensor"),
  );
  const ofBase = sumOf(compared.map((survey) => survey.ofBase));
  return ofBase === 0 ? 0 : Math.sqrt(sumOf(compared.map(({ squared }) => squared)) / ofBase);
}

/**
 * Checks that the folder of the adapter is not the folder of a network, in which its weights would be read
 * as a part of the network later.
 * @throws InputError if it is
 */
async function assertNotInput(folder: string, { base, tuned }: Pair): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => undefined);
  const output = await real(folder);
  for (const { source } of [base, tuned]) {
    if (output === undefined || (await real(source)) !== output) continue;
    throw new InputError(
      `Cannot write an adapter to "${folder}" as it must not be the folder of a network that is read: it is "${source}"; choose another folder`,
      { input: folder },
    );
  }
}
