import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { openDataSet } from "@isthmus/data";
import { listMissing, planStudy, readStudy, restrictStudy, runStudy, type StudyResult } from "@isthmus/study";
import { addEngineOption } from "../options/engine-option.ts";
import { parseOnly } from "../options/parse-values.ts";
import { addQueueOptions } from "../options/queue-options.ts";
import { findDescribed, listShipped } from "../study/find-described.ts";
import { formatStudy } from "../study/format-study.ts";
import {
  addShowOptions,
  createDescribedVerb,
  type Described,
  type DescribedOptions,
  runDescribed,
} from "../study/run-described.ts";
import { type Context, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface StudyVerbOptions extends DescribedOptions {
  readonly only?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Creates the command `isthmus study`. */
export function studyVerb(run: RunVerb): CommandUnknownOpts {
  return addQueueOptions(addEngineOption(createStudyVerb()))
    .addHelpText("after", EXAMPLES)
    .addHelpText(
      "after",
      () =>
        `\nStudies that come with this program: ${listShipped("study").join(", ")}; --print shows what one is.\nFinished tasks are kept, whatever ends the command: the same command goes on with those that are missing.\n`,
    )
    .action((study, options) => run(options, (context) => runVerb(study, options, context)));
}

function createStudyVerb() {
  const command = createDescribedVerb("study", "study", "tasks").option(
    "--only <variable=values>",
    "run only a part: some values of a variable, separated by commas; may be repeated",
    parseOnly,
  );
  return addShowOptions(command, "study", "the tasks that would be run, and run nothing");
}

const EXAMPLES = formatExamples(
  ["isthmus study mnist-width", "a study that comes with this program; its results go to mnist-width/"],
  ["isthmus study mnist-width --print > mine.yaml", "start a study of your own from a copy"],
  ["isthmus study mine.yaml --list", "show what would be run"],
  ["isthmus study star-table --only width=4,8", "run a part; the whole study uses its results later"],
  ["isthmus study mine.yaml -o results --workers 8", "run what is missing"],
  [
    "isthmus study mine.yaml -o /shared/mine --queue /shared/queue --storage /shared",
    "on all machines where isthmus worker runs with that queue",
  ],
);

async function runVerb(name: string, options: StudyVerbOptions, context: Context): Promise<Outcome> {
  const file = await findDescribed("study", name);
  const whole = await readStudy(file.path);
  const description = options.only === undefined ? whole : restrictStudy(whole, options.only);
  // A part of a study is printed as a study of its own, which can be read again.
  const { only: _, ...printed } = description;
  const openData = (data: string, inputs: readonly string[] = []) => openDataSet(data, { inputs });
  const work: Described<StudyResult> = {
    file,
    printed,
    words: ["study", name, ...onlyWords(options)],
    use: description.use,
    device: description.device,
    verb: "study",
    sort: "study",
    tasks: "study's tasks",
    format: formatStudy,
    formatCounts: (ran, finished) => `${ran} tasks run, ${finished} were finished before`,
    missing: async (engine, store) => listMissing(await planStudy(description, { engine, openData }), store),
    async run(engine, running) {
      const { study: result, ...run } = await runStudy(description, { engine, openData, ...running });
      return { ...run, result };
    },
  };
  return runDescribed(work, options, context);
}

/**
 * Returns the words of the command that the results depend on. The folder of the results and the number of
 * workers change nothing.
 */
function onlyWords({ only = {} }: StudyVerbOptions): string[] {
  return Object.entries(only).flatMap(([variable, values]) => ["--only", `${variable}=${values.join(",")}`]);
}
