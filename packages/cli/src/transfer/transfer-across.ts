import {
  at,
  type Checkpoint,
  describeMaking,
  MismatchError,
  sameShape,
  saveCheckpoint,
  UsageError,
} from "@isthmus/core";
import { transferAcrossWidths } from "@isthmus/fusion";
import { copyModelFiles } from "@isthmus/recipe";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import { formatTransferAcross } from "../format/format-transfer.ts";
import { hintAtSwap } from "../open/hint-at-swap.ts";
import { readingOf } from "../open/reading-of.ts";
import type { Context, Outcome } from "../verb.ts";
import { recalibrationData, TRANSFER_PHASES, type TransferVerbOptions } from "./transfer-options.ts";

type Three = readonly [string, string, string];

/**
 * Checks whether base B has other widths than base A: `--graph-b` says so, or shapes differ where no graph is
 * named.
 *
 * @throws UsageError if an option of the other kind of transfer is given
 */
export function isAcrossWidths(options: TransferVerbOptions, checkpoints: readonly Checkpoint[]): boolean {
  const [baseA, baseB] = [at(checkpoints, 0, "network"), at(checkpoints, 2, "network")];
  const differs = [...baseA.tensors].some(([name, { shape }]) => {
    const other = baseB.tensors.get(name);
    return other !== undefined && !sameShape(shape, other.shape);
  });
  const isAcross = options.graphB !== undefined || (differs && options.graph === undefined);
  if (!isAcross && differs) {
    throw new UsageError(
      `Cannot transfer to "${baseB.source}" with the graph of "${baseA.source}" as its tensors have other shapes: name the graph of base B by --graph-b`,
    );
  }
  const { maps, mixUnits, moveEmbeddings, exportedFromB, normalize, only, skip, search, memory, restarts } =
    options;
  const { align, method } = options;
  const wrong = isAcross
    ? {
        normalize,
        only,
        skip,
        search,
        memory,
        restarts,
        "no-align": align ? undefined : true,
        method: method === "weight" ? undefined : method,
      }
    : { maps, "mix-units": mixUnits, "move-embeddings": moveEmbeddings, "exported-from-b": exportedFromB };
  const [name] = Object.entries(wrong).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  if (name === undefined) return isAcross;
  throw new UsageError(
    isAcross
      ? `Cannot transfer to another width with --${name} as units are mapped by --maps then, not aligned: leave --${name} out`
      : `Cannot transfer with --${name} as both bases have one graph: it is for a base B of another width, which --graph-b names`,
  );
}

/** Transfers a fine-tune to a base of other widths. */
export async function transferAcross(
  paths: Three,
  checkpoints: readonly Checkpoint[],
  options: TransferVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { graph, graphB, exportedFromB, data: labelled, maskBySign, matchExamples, seed } = options;
  const matchName = options.matchData ?? labelled;
  const reading = await readingOf(options, context);
  await assertArchitecture("transfer", paths.slice(0, 2), { graph });
  await assertArchitecture("transfer (--graph-b)", paths.slice(2), { graph: graphB });
  const names = { match: matchName, data: labelled, maskBySign };
  const open = async () =>
    [
      await openBound(paths.slice(0, 2), checkpoints.slice(0, 2), { match: matchName }, reading),
      await openBound(paths.slice(2), checkpoints.slice(2), names, {
        ...reading,
        graph: graphB,
        exportedFrom: exportedFromB,
      }),
    ] as const;
  const [ofA, ofB] = await open().catch((error: unknown) =>
    hintAtSwap(
      error,
      [
        { graph, checkpoint: at(checkpoints, 0, "network") },
        { graph: graphB, checkpoint: at(checkpoints, 2, "network") },
      ],
      "--graph",
    ),
  );
  assertClasses(ofA.architecture, ofB.architecture);
  const [a, b] = [ofA.architecture, ofB.architecture];
  const data = ofB.examples.get("data");
  const { restored, summary } = await transferAcrossWidths(
    {
      graph: a.graph,
      engine: a.engine,
      base: at(a.networks, 0, "network"),
      tuned: at(a.networks, 1, "network"),
    },
    { graph: b.graph, engine: b.engine, base: at(b.networks, 0, "network") },
    {
      maps: options.maps,
      mixUnits: options.mixUnits,
      moveEmbeddings: options.moveEmbeddings,
      scale: options.scale,
      seed,
      matchExamples,
      matchData: ofB.examples.get("match"),
      data,
      maskBySign: ofB.examples.get("maskBySign"),
      recalibrate: recalibrationData(options, data),
      signal: context.signal,
      onProgress: ({ phase, done }) => context.progress(TRANSFER_PHASES[phase], done),
    },
  );
  const making = describeMaking(checkpoints, {
    verb: "transfer",
    ...context.maker,
    scale: summary.scale,
    maps: summary.maps,
    mixUnits: options.mixUnits,
    moveEmbeddings: options.moveEmbeddings,
    matchData: matchName,
    seed,
    maskBySign,
    statistics: options.statistics,
  });
  const outputs = await finish(paths, { restored, summary }, options, { ...context, making });
  return { result: { ...summary, outputs }, text: formatTransferAcross(summary, outputs) };
}

/**
 * Checks that both graphs take inputs and give outputs of one form, such as one vocabulary.
 * @throws MismatchError if they do not
 */
function assertClasses(a: Opened, b: Opened): void {
  const lastOf = ({ graph }: Opened) => graph.outputs.map(({ shape }) => shape?.at(-1) ?? "?").join();
  const [ofA, ofB] = [lastOf(a), lastOf(b)];
  if (ofA === ofB) return;
  throw new MismatchError(
    `Cannot transfer between networks with other outputs as classes or the vocabulary must be the same: A gives ${ofA} numbers, and B ${ofB}`,
    { parameters: [] },
  );
}

type Opened = Awaited<ReturnType<typeof openBound>>["architecture"];

/** Result of a transfer, for writing it. */
interface Transferred {
  readonly restored: Checkpoint;
  readonly summary: { readonly warnings: readonly string[] };
}

/** Prints warnings, and writes the new fine-tune with the files of its model. */
export async function finish(
  paths: Three,
  { restored, summary }: Transferred,
  { output }: Pick<TransferVerbOptions, "output">,
  {
    making,
    signal,
    progress,
    terminal,
  }: Pick<Context, "signal" | "progress" | "terminal"> & { readonly making: Record<string, string> },
): Promise<string[]> {
  for (const warning of summary.warnings) terminal.note(`Warning: ${warning}.`);
  const { files } = await saveCheckpoint(restored, output, {
    metadata: { ...restored.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress("Writing", done),
  });
  return [...files, ...(await copyModelFiles(paths[2], output, { onNote: terminal.note }))];
}
