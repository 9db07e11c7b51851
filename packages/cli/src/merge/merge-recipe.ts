import { type Checkpoint, isGgufEncoding, UsageError } from "@isthmus/core";
import { productsModuleOn } from "@isthmus/engine/products";
import type { MergeEstimate, MergePlan, OpenMergeExecutor } from "@isthmus/merging";
import {
  createAligner,
  explainPlan,
  groupTensors,
  type MergeFinding,
  networkPaths,
  type OpenedRecipe,
  openRecipe,
  planRecipeFiles,
  type Recipe,
  readRecipe,
  saveRecipe,
  summarizePlan,
} from "@isthmus/recipe";
import { assertNoModelFolder } from "@isthmus/zoo";
import { formatBytes } from "../format/format-table.ts";
import { engineNameOf, openEngine } from "../open/open-engine.ts";
import { quantizingOf } from "../options/quantizing-of.ts";
import { loadWorkers, placesOf } from "../options/queue-options.ts";
import { noteWarnings, type RecipeReading } from "../options/recipe-reading.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { CommonOptions, Context, Outcome } from "../verb.ts";
import { checkAndNote } from "./check-networks.ts";
import { describeRecipeStatistics } from "./describe-merge.ts";
import { formatExplanations, formatPlan, formatSavedRecipe } from "./format-recipe.ts";
import { gateRecipe } from "./gate-recipe.ts";
import { assertMergePlace, type MergeOptions, noteOnGguf, outputOf } from "./merge-options.ts";
import { assertFitsRecipe } from "./recipe-options.ts";
import { type BarrierGate, formatBarrierGate } from "./require-barrier.ts";

/** Merges networks by the recipe in a file, or only describes the plan. */
export async function mergeRecipeFile(
  path: string,
  options: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  assertFitsRecipe(options);
  const reading = noteWarnings(options, context);
  const recipe = await readRecipe(path, { ...reading, document: options.document });
  return mergeRecipe({ recipe, file: path, reading }, options, context);
}

/** A recipe and its file; the file is null if options made the recipe. */
export interface NamedRecipe {
  /** Recipe with all of its models, methods and parameters. */
  readonly recipe: Recipe;
  /** Path of the recipe's file; null if options made the recipe. */
  readonly file: string | null;
  /** Strictness with which the recipe was read, and the warnings so far. */
  readonly reading: RecipeReading;
  /** Weights that options stand for, as text. @defaultValue not told */
  readonly weights?: string | undefined;
}

/** Merges networks by a recipe, or only describes the plan. */
export async function mergeRecipe(
  { recipe, file, reading, weights }: NamedRecipe,
  options: MergeOptions & CommonOptions,
  context: Context,
): Promise<Outcome> {
  const isPlanned = options.dryRun === true || options.explain !== undefined;
  const output = isPlanned ? undefined : await outputOf(options);
  const opened = await openRecipe(recipe, {
    methodFiles: options.methods,
    seed: options.seed,
    // Workers of a queue multiply on their processors.
    productsModule: productsModuleOn(options.queue === undefined ? options.device : "cpu"),
    strict: reading.strict,
    onWarning: reading.onWarning,
    align: createAligner(await openEngine(options, context), {
      graph: options.graph,
      ...followAlignment("weight", context),
    }),
  });
  try {
    const { warnings } = reading;
    if (output === undefined) {
      // What keeps a folder from being written is said now, too; single files have no config.
      await planRecipeFiles(recipe, opened, { output: options.output });
      const findings = options.dryRun === true ? await lookAt(opened, options, context) : undefined;
      return describePlan(opened.plan, { warnings, findings }, options);
    }
    await assertPlace(output, opened);
    const { findings, gate } = await lookBefore(opened, options, context);
    if (gate?.failure !== undefined) {
      return { result: { gate, findings }, text: formatBarrierGate(gate), failure: gate.failure };
    }
    const { threads, memory, maxShardSize, allowNonFinite = false, restart, hashInputs = false } = options;
    const statistics = describeRecipeStatistics(opened.plan, output);
    if (statistics !== undefined) context.terminal.note(statistics);
    noteOnGguf(output, opened.plan.metadata, context.terminal.note);
    const { importance, onNote: onFallback } = await quantizingOf(options, context);
    const saved = await saveRecipe(recipe, opened, output, {
      encoding: isGgufEncoding(options.dtype) ? options.dtype : undefined,
      importance,
      onFallback,
      threads,
      allowNonFinite,
      overwrite: true,
      hashInputs,
      device: context.maker.device,
      resume: restart !== true,
      ...(memory === undefined ? {} : { memory }),
      ...(maxShardSize === undefined ? {} : { maxShardBytes: maxShardSize }),
      openExecutor: await executorOf(options, { recipe, opened, context }),
      signal: context.signal,
      onStart(estimate) {
        if (!options.quiet) context.terminal.note(formatEstimate(estimate));
      },
      onNote: (note) => context.terminal.note(`${note}.`),
      onProgress: ({ done }) => context.progress("Merging", done),
    });
    for (const note of saved.modelFiles.notes) context.terminal.note(note);
    return {
      result: {
        recipe: file,
        method: recipe.merge_method,
        seed: opened.plan.seed,
        warnings,
        findings,
        ...(gate && { gate }),
        ...saved,
      },
      text: formatSavedRecipe(recipe.merge_method, saved, weights),
    };
  } finally {
    await opened.close();
  }
}

/**
 * Returns a function that makes the pieces of a merge on the workers of a queue; undefined if options name
 * none.
 */
async function executorOf(
  options: MergeOptions,
  {
    recipe,
    opened,
    context,
  }: { readonly recipe: Recipe; readonly opened: OpenedRecipe; readonly context: Context },
): Promise<OpenMergeExecutor | undefined> {
  const { methods: methodFiles } = options;
  const engine = engineNameOf(options);
  const { signal, progress: onStep } = context;
  const places = placesOf(options, context);
  if (places === undefined) return undefined;
  const { queueMerge } = await loadWorkers();
  const open = queueMerge(recipe, { ...opened, methodFiles }, { ...places, engine, onStep, signal });
  return async (unfinished) => {
    const executor = await open(unfinished);
    const stopTelling = context.keepTelling();
    return {
      ...executor,
      async close() {
        stopTelling();
        await executor.close();
      },
    };
  };
}

/**
 * Checks the networks of a recipe, and measures barriers between them if the options ask for it; adapters are
 * not checked.
 */
async function lookBefore(
  opened: OpenedRecipe,
  options: MergeOptions,
  context: Context,
): Promise<{ readonly findings: readonly MergeFinding[]; readonly gate: BarrierGate | undefined }> {
  const { plan, adapter } = opened;
  const findings = await lookAt(opened, options, context);
  if (adapter === undefined)
    return { findings, gate: await gateRecipe(plan, networkPaths(opened), options, context) };
  if (options.requireBarrier === undefined) return { findings: [], gate: undefined };
  throw new UsageError(
    "Cannot merge adapters with --require-barrier as a barrier lies between networks: merge models as base+adapter",
  );
}

/**
 * Checks that the output damages nothing that is read; a folder of adapters is checked once they are merged.
 */
async function assertPlace(output: string, { plan, adapter }: OpenedRecipe): Promise<void> {
  const check = adapter === undefined ? assertMergePlace : assertNoModelFolder;
  await check(output, plan.networks.flatMap(placesRead));
}

/** Lists the files and folders from which a network is read. */
function placesRead({ source, files, inputs }: Checkpoint): readonly string[] {
  return [source, ...files, ...inputs.flatMap(placesRead)];
}

/** Checks the networks of a recipe; adapters are not checked. */
async function lookAt(
  opened: OpenedRecipe,
  options: MergeOptions,
  context: Context,
): Promise<readonly MergeFinding[]> {
  if (opened.adapter !== undefined) return [];
  return checkAndNote(opened.plan, networkPaths(opened), options, context);
}

function formatEstimate({ readBytes, writtenBytes, peakBytes, threads }: MergeEstimate): string {
  const bytes = `${formatBytes(readBytes)} to read, ${formatBytes(writtenBytes)} to write`;
  return `${bytes}, at most ${formatBytes(peakBytes)} of memory, ${threads === 1 ? "1 thread" : `${threads} threads`}.`;
}

function describePlan(
  plan: MergePlan,
  {
    findings,
    ...told
  }: { readonly warnings: readonly string[]; readonly findings: readonly MergeFinding[] | undefined },
  { explain }: MergeOptions,
): Outcome {
  const summary = summarizePlan(plan);
  const tensors = explainPlan(plan, explain);
  const text = explain === undefined ? formatPlan(groupTensors(plan), summary) : formatExplanations(tensors);
  return { result: { ...told, ...(findings && { findings }), summary, tensors }, text };
}
