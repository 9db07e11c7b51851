import { describeMaking, saveCheckpoint, saveFile } from "@isthmus/core";
import type {
  AnyMeasurement,
  Control,
  MeasuredResult,
  MeasurementEntry,
  MeasurePairs,
} from "@isthmus/findings";
import { type BoundNetwork, encodeGraph } from "@isthmus/graph";
import type { DrawableResult } from "@isthmus/report";
import { formatResult } from "../format/format-result.ts";
import { createPace } from "../terminal/pace.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import { formatSpeed } from "../training/format-training.ts";
import type { Context } from "../verb.ts";

/** Controls of a measurement that a command runs. */
export interface CommandControl extends Control<MeasuredResult> {
  /** Runs the work; if it is stopped, shows the findings so far and says how to go on. */
  follow<T>(work: () => Promise<T>): Promise<T>;
}

/** A measurement of a command line, and the files that the command line names for it. */
interface Running {
  readonly entry: MeasurementEntry;
  readonly measurement: AnyMeasurement;
  readonly journal: string | undefined;
  /** Returns the file of a network by its name; undefined if none is written. */
  readonly fileOf: ((name: string) => string) | undefined;
  /** File of the graph of the networks that are made; undefined if none is written. */
  readonly graphFile: string | undefined;
  /** Gives the tensors of a network the names in the files; undefined if they have these already. */
  readonly restore: BoundNetwork["restore"] | undefined;
  readonly measurePairs: MeasurePairs | undefined;
}

/** Creates the controls of a measurement that a command runs. */
export function createControl(
  { entry, measurement, journal, fileOf, graphFile, restore, measurePairs }: Running,
  context: Context,
): CommandControl {
  const { signal, progress, terminal, maker } = context;
  const pace = createPace();
  let partial: MeasuredResult | undefined;
  const left = () =>
    journal &&
    `${measurement.journal?.keeps} are in "${journal}": ${measurement.makes === undefined ? "it goes on from there" : "--resume goes on"}`;
  return {
    signal,
    journalPath: journal,
    measurePairs,
    report(stage, done, stored, training) {
      if (done !== undefined) pace.note(done, stored);
      progress(stage, done, () => formatSpeed(training, pace.left()));
    },
    saveNetwork:
      fileOf === undefined
        ? undefined
        : async (name, network, making) => {
            const restored = restore === undefined ? network : restore(network);
            const described =
              making && describeMaking(making.from, { verb: entry.verb, ...maker, ...making.by });
            await saveCheckpoint(restored, fileOf(name), {
              ...(described && { metadata: described }),
              overwrite: true,
              signal,
            });
          },
    saveGraph:
      graphFile === undefined
        ? undefined
        : async (graph) => void (await saveFile(graphFile, encodeGraph(graph), [])),
    onPart(soFar) {
      partial = soFar;
    },
    follow: (work) =>
      sayHowToGoOn({ verb: entry.verb, left }, context, async () => {
        try {
          return await work();
        } catch (error) {
          if (signal.aborted && partial !== undefined)
            terminal.note(await formatResult(partial as DrawableResult, terminal));
          throw error;
        }
      }),
  };
}
