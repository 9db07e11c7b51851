import type { BarrierResult } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { formatMeasure, formatNumber } from "@isthmus/report";
import { formatBarriers } from "../format/format-barriers.ts";
import { formatPairs } from "../format/format-table.ts";
import { formatAccuracy, formatRate, formatSeconds } from "../training/format-training.ts";
import type { Context } from "../verb.ts";
import { curvesOf, type DemoFiles, type Findings } from "./findings.ts";

/** Tells what the demo did and what it found, as a text to be read from top to bottom. */
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

/** Says how much lower the ridge has become; alignment may leave none at all. */
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
