import { join } from "node:path";
import type { BarrierCurve, BarrierResult } from "@isthmus/barrier";
import { at, type Checkpoint, saveFile } from "@isthmus/core";
import { formatMeasure, formatNumber } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { renderResultPage } from "@isthmus/report";
import { encodeAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import { formatBarriers } from "../format/format-barriers.ts";
import { formatJson } from "../format/format-json.ts";
import { formatPairs } from "../format/format-table.ts";
import { saveMade } from "../making/save-made.ts";
import { formatAccuracy, formatRate, formatSeconds } from "../training/format-training.ts";
import type { Context } from "../verb.ts";
import type { TrainedPair } from "./train-pair.ts";

/** Describes the steps and the findings of the demo, as a text to be read from top to bottom. */
export function tellFindings(
  findings: Findings,
  { files, data }: { readonly files: DemoFiles; readonly data: DataSet },
  { terminal }: Context,
): string {
  const { before, after } = findings;
  const [a, b] = [pointOf(before, 0), pointOf(before, before.points.length - 1)];
  const middle = (result: BarrierResult) => pointOf(result, result.points.length >> 1);
  return `${tellTraining(findings)}
Of ${data.size.toLocaleString("en-US")} test images A reads ${accuracyAt(a)} rightly, and B ${accuracyAt(b)}. What lies between them?

${formatBarriers(curvesOf(findings), terminal)}

As trained, a ridge: half-way the loss is ${formatNumber(middle(before).loss)}, against ${formatNumber(a.loss)} at A, and ${errorAt(middle(before))} are misread.
The two have learned the same thing in different places: hidden units have no order of their own.

Alignment puts the units of B in the order in which they match those of A. What B computes
stays the same, and the ridge ${tellRidge(findings)}. The average of the two, which was made by
no training at all, misreads ${errorAt(middle(after))}.

Written:
${indent(
  formatPairs([
    [files.a, "network A, trained"],
    [files.b, "network B, trained"],
    [files.graph, "their architecture"],
    [files.merged, "the average of A and aligned B"],
    [files.page, "these curves and numbers as a page: open it in a browser"],
    [files.numbers, "the same as JSON"],
    [files.alignment, "which unit of B went where"],
  ]),
)}

Next, with your own networks:
${indent(`npx isthmus train --net mlp:256x2 --data mnist --seed 0 -o a.safetensors
npx isthmus symmetry model.onnx --verify
npx isthmus merge a.safetensors b.safetensors --align --graph model.onnx -o merged.safetensors
npx isthmus barrier a.safetensors b.safetensors --graph model.onnx --data mnist:test --align --report barrier.html`)}`;
}

function tellTraining({ pair: { results, net } }: Findings): string {
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const rate = Math.max(...results.map(({ examplesPerSecond }) => examplesPerSecond));
  const { length } = results[0].epochs;
  return `Two networks, ${net}, have just learned to read digits from different random starts: ${length} ${length === 1 ? "epoch" : "epochs"}
each, ${formatSeconds(seconds)} together, up to ${formatRate(rate)} images a second.`;
}

/** Says how much lower the ridge has become; after alignment there may be none at all. */
function tellRidge({ before, after }: Findings): string {
  const [high, low] = [before.barrier.loss.chord, after.barrier.loss.chord];
  return low > 0 ? `becomes ${Math.round(high / low)} times lower` : "is gone";
}

type Point = BarrierResult["points"][number];

function pointOf({ points }: BarrierResult, index: number): Point {
  return at(points, index, "point of the barrier");
}

function accuracyAt({ error }: Point): string {
  return formatAccuracy(1 - error);
}

function errorAt({ error }: Point): string {
  return formatMeasure(error, "error");
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** Writes the merged network, the alignment, the numbers and the page beside the trained networks. */
export async function writeFindings(
  findings: Findings,
  { networks, spec }: { readonly networks: readonly [Checkpoint, Checkpoint]; readonly spec: SymmetrySpec },
  { output, seed }: { readonly output: string; readonly seed: number },
  context: Context,
): Promise<DemoFiles> {
  const { pair, aligned, before, after } = findings;
  const [a, b] = pair.checkpoints;
  const files: DemoFiles = {
    a,
    b,
    graph: pair.graph,
    merged: join(output, "merged.safetensors"),
    alignment: join(output, "alignment.json"),
    numbers: join(output, "barrier.json"),
    page: join(output, "barrier.html"),
  };
  const page = await renderDemoPage(findings, seed, context);
  const made = { verb: "demo", from: networks, options: { seed } };
  await saveMade(lerp(networks[0], aligned.network, 0.5), files.merged, made, context);
  await saveFile(files.alignment, formatJson(encodeAlignment(spec, aligned.alignment)));
  await saveFile(
    files.numbers,
    formatJson({ ...after, asGiven: before, training: pair.results, provenance: context.provenance }),
  );
  await saveFile(files.page, page);
  return files;
}

function renderDemoPage(findings: Findings, seed: number, context: Context): Promise<string> {
  const { net, results } = findings.pair;
  const [epochs, accuracies] = [
    results[0].epochs.length,
    results.map(({ evaluation }) => formatAccuracy(evaluation?.accuracy)),
  ];
  return renderResultPage({
    title: "Two networks, one basin",
    result: curvesOf(findings),
    notes: [
      `Both networks are ${net}, trained on MNIST for ${epochs} ${epochs === 1 ? "epoch" : "epochs"} from the seeds ${seed} and ${seed + 1}; they read ${accuracies.join(" and ")} of the test images rightly.`,
      "Alignment puts the hidden units of B in the order in which they match those of A. It does not change what B computes, which was verified.",
    ],
    commands: [context.commandLine],
    facts: [{ name: "Seed", value: String(seed) }],
    version: context.version,
  });
}

/** The findings of the demo: two networks, their alignment, and the barriers between them. */
interface Findings {
  readonly pair: TrainedPair;
  readonly aligned: AlignedNetwork;
  /** The barrier from A to B as trained. */
  readonly before: BarrierResult;
  /** The barrier from A to the aligned B. */
  readonly after: BarrierResult;
}

/** Files that the demo writes. */
interface DemoFiles {
  readonly a: string;
  readonly b: string;
  readonly graph: string;
  readonly merged: string;
  readonly alignment: string;
  readonly numbers: string;
  readonly page: string;
}

/** Returns the curves of both paths, to be drawn in one figure. */
function curvesOf({ before, after }: Pick<Findings, "before" | "after">): BarrierCurve[] {
  return [
    { label: "as trained", result: before },
    { label: "aligned", result: after },
  ];
}
