import { join } from "node:path";
import { type Checkpoint, describeMaking, saveCheckpoint, saveFile } from "@isthmus/core";
import { lerp } from "@isthmus/interpolation";
import { renderBarrierPage } from "@isthmus/report";
import { encodeAlignment, type SymmetrySpec } from "@isthmus/symmetry";
import { formatJson } from "../format/format-json.ts";
import { formatAccuracy } from "../training/format-training.ts";
import type { Context } from "../verb.ts";
import { curvesOf, type DemoFiles, type Findings } from "./findings.ts";

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
  await saveCheckpoint(lerp(networks[0], aligned.network, 0.5), files.merged, {
    metadata: describeMaking(networks, { verb: "demo", version: context.version, seed }),
    overwrite: true,
    signal: context.signal,
  });
  await saveFile(files.alignment, formatJson(encodeAlignment(spec, aligned.alignment)));
  await saveFile(
    files.numbers,
    formatJson({ ...after, asTrained: before, training: pair.results, provenance: context.provenance }),
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
  return renderBarrierPage({
    title: "Two networks, one basin",
    curves: curvesOf(findings),
    notes: [
      `Both networks are ${net}, trained on MNIST for ${epochs} ${epochs === 1 ? "epoch" : "epochs"} from the seeds ${seed} and ${seed + 1}; they read ${accuracies.join(" and ")} of the test images rightly.`,
      "Alignment puts the hidden units of B in the order in which they match those of A. It does not change what B computes, which was verified.",
    ],
    commands: [context.commandLine],
    facts: [{ name: "Seed", value: String(seed) }],
    version: context.version,
  });
}
