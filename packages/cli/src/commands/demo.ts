import { mkdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type BarrierResult, measureBarrier } from "@isthmus/barrier";
import { type Checkpoint, InputError, saveCheckpoint, saveFile } from "@isthmus/core";
import { openDataSet } from "@isthmus/engine";
import { type DataSet, encodeAlignment } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { formatMeasure, formatNumber, renderBarrierPage } from "@isthmus/report";
import {
  type AlignedNetwork,
  type Aligner,
  alignNetwork,
  createAligner,
  openArchitecture,
} from "../aligner.ts";
import { formatBarriers } from "../format-barriers.ts";
import { formatJson } from "../format-json.ts";
import { formatPairs } from "../format-table.ts";
import { withCheckpoints } from "../open-checkpoints.ts";
import { parseCount, parseSeed } from "../parse-values.ts";
import { describeMaking } from "../provenance.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface DemoOptions {
  readonly output: string;
  readonly points: number;
  readonly seed: number;
}

/**
 * Two MLPs, 784-512-512-512-10, trained on MNIST with PyTorch from different seeds; as seen from where the demo runs,
 * so that its pages do not tell where the repository lies.
 */
const EXAMPLE =
  relative(process.cwd(), fileURLToPath(new URL("../../../../examples/mnist-mlp", import.meta.url))) || ".";
const DATA = "mnist:test";
/** An odd number, so that half-way is among them; twice as many show no more. */
const POINTS = 13;

/** The verb `demo`. */
export function demoVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("demo")
    .option("-o, --output <folder>", "where the files go", "demo")
    .option("--points <n>", "places to measure on each path", parseCount(3), POINTS)
    .option("--seed <n>", "seed of the alignment", parseSeed, 0)
    .addHelpText(
      "after",
      formatExamples(["isthmus demo", "align, merge and measure two networks that read digits"]),
    )
    .action((options) => run(options, (context) => demo(options, context)));
}

async function demo(options: DemoOptions, context: Context): Promise<Outcome> {
  await assertExample();
  const paths = [join(EXAMPLE, "s0.safetensors"), join(EXAMPLE, "s1.safetensors")] as const;
  const data = await openDataSet(DATA);
  return withCheckpoints(paths, async ([a, b]) => {
    const aligner = await createAligner(
      await openArchitecture(join(EXAMPLE, "graph.onnx"), { engine: "onnxruntime" }),
      context,
    );
    const aligned = await alignNetwork(aligner, [a, b], options, context);
    const measure = (network: Checkpoint, step: number) =>
      measureStep({ aligner, a, b: network, data }, step, options, context);
    const before = await measure(b, 0);
    const after = await measure(aligned.network, 1);
    const files = await writeFiles({ aligner, networks: [a, b], aligned, before, after }, options, context);
    return {
      result: { asTrained: before, aligned: after, alignment: aligned.summary, files },
      text: tell({ before, after, files, data }, context),
    };
  });
}

async function assertExample(): Promise<void> {
  if (await stat(EXAMPLE).catch(() => undefined)) return;
  throw new InputError(
    `Cannot run the demo as it needs the example networks of the repository: "${EXAMPLE}" is missing; clone the repository and run "npm run demo" there`,
    { input: EXAMPLE },
  );
}

function measureStep(
  { aligner, a, b, data }: { aligner: Aligner; a: Checkpoint; b: Checkpoint; data: DataSet },
  step: number,
  { points }: DemoOptions,
  { signal, progress }: Context,
): Promise<BarrierResult> {
  const { graph, engine } = aligner;
  const title = step === 0 ? "Measuring the networks as trained" : "Measuring them aligned";
  const onProgress = ({ done, total }: { readonly done: number; readonly total: number }) =>
    progress(title, (step + done / total) / 2);
  return measureBarrier({ graph, engine, a, b, data }, { points, signal, onProgress });
}

interface Findings {
  readonly aligner: Aligner;
  readonly networks: readonly [Checkpoint, Checkpoint];
  readonly aligned: AlignedNetwork;
  readonly before: BarrierResult;
  readonly after: BarrierResult;
}

interface DemoFiles {
  readonly merged: string;
  readonly alignment: string;
  readonly numbers: string;
  readonly page: string;
}

const curvesOf = ({ before, after }: Pick<Findings, "before" | "after">) => [
  { label: "as trained", result: before },
  { label: "aligned", result: after },
];

async function writeFiles(findings: Findings, options: DemoOptions, context: Context): Promise<DemoFiles> {
  const { aligner, networks, aligned, before, after } = findings;
  const folder = options.output;
  const files = {
    merged: join(folder, "merged.safetensors"),
    alignment: join(folder, "alignment.json"),
    numbers: join(folder, "barrier.json"),
    page: join(folder, "barrier.html"),
  };
  const page = await renderBarrierPage({
    title: "Two networks, one basin",
    curves: curvesOf(findings),
    notes: [
      "Both networks are MLPs, 784-512-512-512-10, that were trained on MNIST with PyTorch from different seeds.",
      "Alignment puts the hidden units of B in the order in which they match those of A. It does not change what B computes, which was verified.",
    ],
    commands: [context.commandLine],
    facts: [{ name: "Seed", value: String(options.seed) }],
    version: context.version,
  });
  await mkdir(folder, { recursive: true });
  await saveCheckpoint(lerp(networks[0], aligned.network, 0.5), files.merged, {
    metadata: describeMaking(networks, { verb: "demo", version: context.version, seed: options.seed }),
    overwrite: true,
    signal: context.signal,
  });
  await saveFile(files.alignment, formatJson(encodeAlignment(aligner.symmetries.spec, aligned.alignment)));
  await saveFile(files.numbers, formatJson({ asTrained: before, aligned: after }));
  await saveFile(files.page, page);
  return files;
}

function tell(
  {
    before,
    after,
    files,
    data,
  }: Pick<Findings, "before" | "after"> & { readonly files: DemoFiles; readonly data: DataSet },
  { terminal }: Context,
): string {
  const [a, b] = [before.points[0], before.points.at(-1)];
  const error = (point: { readonly error: number } | undefined): string =>
    formatMeasure(point?.error ?? 0, "error");
  const middle = ({ points }: BarrierResult) => points[points.length >> 1];
  const ratio = before.barrier.loss.chord / after.barrier.loss.chord;
  return `Two networks learned to read digits from different random starts. Of ${data.size.toLocaleString("en-US")} test images
A misreads ${error(a)} and B ${error(b)}. What lies between them?

${formatBarriers(curvesOf({ before, after }), terminal)}

As trained, a ridge: half-way the loss is ${formatNumber(middle(before)?.loss ?? 0)}, against ${formatNumber(a?.loss ?? 0)} at A, and ${error(middle(before))} are misread.
The two have learned the same thing in different places: hidden units have no order of their own.

Alignment puts the units of B in the order in which they match those of A. What B computes
stays the same, and the ridge becomes ${Math.round(ratio)} times lower. The average of the two, which was made by
no training at all, misreads ${error(middle(after))}.

Written:
${indent(
  formatPairs([
    [files.merged, "the average of A and aligned B"],
    [files.page, "these curves and numbers as a page: open it in a browser"],
    [files.numbers, "the same as JSON"],
    [files.alignment, "which unit of B went where"],
  ]),
)}

Next, with your own networks:
${indent(`npx isthmus symmetry model.onnx --verify
npx isthmus merge a.safetensors b.safetensors --align --graph model.onnx -o merged.safetensors
npx isthmus barrier a.safetensors b.safetensors --graph model.onnx --data mnist:test --align --report barrier.html`)}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
