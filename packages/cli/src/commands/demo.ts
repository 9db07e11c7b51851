import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type BarrierResult, measureBarrier } from "@isthmus/barrier";
import { at, type Checkpoint, withCheckpoints } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { type Architecture, bindArchitecture, type DataSet } from "@isthmus/graph";
import { wholeSpec } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import { openArchitecture } from "@isthmus/zoo";
import { tellFindings, writeFindings } from "../demo/findings.ts";
import { type PairOptions, trainPair } from "../demo/train-pair.ts";
import { openEngine } from "../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { MOST, parseCount, parseSeed } from "../options/parse-values.ts";
import { followAlignment } from "../terminal/follow-alignment.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface DemoOptions extends PairOptions, EngineOptions {
  readonly points: number;
}

const NET = "mlp:512x3";
const EPOCHS = 2;
/** Number of places on each path. It is odd, so that half-way is among them; twice as many show no more. */
const POINTS = 11;

/** Creates the command `isthmus demo`. */
export function demoVerb(run: RunVerb): CommandUnknownOpts {
  return addEngineOption(
    createVerb("demo", HELP_GROUPS.done)
      .option("-o, --output <folder>", "folder for the files", "demo")
      .option("--net <name>", "the network that is trained, by its name for isthmus train --net", NET)
      .option("--epochs <n>", "times each image is seen in training", parseCount(1, MOST.epochs), EPOCHS)
      .option("--points <n>", "number of places to measure on each path", parseCount(3, MOST.places), POINTS)
      .option(
        "--seed <n>",
        "seed of network A and of the alignment; the seed of B is one more",
        parseSeed,
        0,
      ),
  )
    .addHelpText(
      "after",
      formatExamples(["isthmus demo", "train, align, merge and measure two networks that read digits"]),
    )
    .action((options) => run(options, (context) => demo(options, context)));
}

async function demo(options: DemoOptions, context: Context): Promise<Outcome> {
  const data = await openDataSet("mnist:test");
  const engine = await openEngine(options, context);
  const pair = await trainPair(options, { engine, evaluationData: data }, context);
  return withCheckpoints(pair.checkpoints, async ([a, b]) => {
    const opened = await openArchitecture(pair.graph, engine);
    const { networks, ...architecture } = await bindArchitecture(opened, [a, b], {
      signal: context.signal,
      onNote: context.terminal.note,
    });
    const { aligned: others, symmetries } = await align(architecture, networks, {
      seed: options.seed,
      ...followAlignment("weight", context),
    });
    const aligned = at(others, 0, "aligned network");
    const measure = (network: Checkpoint, step: number) =>
      measureStep({ ...architecture, a, b: network, data }, step, options, context);
    const before = await measure(b, 0);
    const after = await measure(aligned.network, 1);
    const findings = { pair, aligned, before, after };
    const spec = wholeSpec(symmetries);
    const files = await writeFindings(findings, { networks: [a, b], spec }, options, context);
    return {
      result: {
        training: pair.results,
        asGiven: before,
        aligned: after,
        alignment: aligned.summary,
        files,
      },
      text: tellFindings(findings, { files, data }, context),
    };
  });
}

function measureStep(
  networks: Architecture & { readonly a: Checkpoint; readonly b: Checkpoint; readonly data: DataSet },
  step: number,
  { points }: DemoOptions,
  { signal, progress }: Context,
): Promise<BarrierResult> {
  const { graph, engine, a, b, data } = networks;
  const title = step === 0 ? "Measuring the networks as trained" : "Measuring them aligned";
  const onProgress = ({ done }: { readonly done: number }) => progress(title, (step + done) / 2);
  return measureBarrier({ graph, engine }, [a, b], data, { points, signal, onProgress });
}
