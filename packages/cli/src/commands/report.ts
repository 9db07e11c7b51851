import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { saveFile } from "@isthmus/core";
import { type DrawableResult, renderResultPage } from "@isthmus/report";
import { assertOutput, assertPageName } from "../assert-output.ts";
import { formatOutputs } from "../format-outputs.ts";
import { formatResult } from "../result/format-result.ts";
import { readResult } from "../result/read-result.ts";
import { assertFolder, saveFigures, saveTables } from "../result/save-parts.ts";
import { titleOfResult } from "../result/title-of-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface ReportVerbOptions {
  readonly output?: string | undefined;
  readonly svg?: string | undefined;
  readonly csv?: string | undefined;
  readonly title?: string | undefined;
  readonly command?: readonly string[] | undefined;
}

/** The verb `report`. */
export function reportVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("report")
    .argument("<result>", "a .json file that another verb wrote, or printed with --json")
    .option("-o, --output <file>", "write a page with figures and all numbers (.html)")
    .option("--svg <folder>", "write each figure of the page as .svg into this folder")
    .option("--csv <folder>", "write each table of the page as .csv into this folder")
    .option("--title <words>", "title of the page (default: what the result is of)")
    .addOption(
      new Option(
        "--command <line>",
        "a command line that made the result, to be shown on the page; may be repeated",
      ).argParser((line: string, before: readonly string[] | undefined) => [...(before ?? []), line]),
    )
    .addHelpText("after", EXAMPLES)
    .action((file, options) => run(options, (context) => report(file, options, context)));
}

const EXAMPLES = formatExamples(
  ["isthmus report barrier.json", "charts and tables in the terminal"],
  ["isthmus report plane.json -o plane.html", "a page to publish"],
  [
    "isthmus report mnist-width/study.json -o study.html --svg figures --csv numbers",
    "and its parts beside it",
  ],
);

async function report(file: string, options: ReportVerbOptions, context: Context): Promise<Outcome> {
  const { output, svg, csv } = options;
  if (output !== undefined) {
    assertPageName(output);
    await assertOutput(output, [file]);
  }
  for (const folder of [svg, csv]) if (folder !== undefined) await assertFolder(folder);
  const result = await readResult(file);
  const outputs: string[] = [];
  if (output !== undefined) {
    await saveFile(output, await renderPage(result, options, context), [file]);
    outputs.push(output);
  }
  if (svg !== undefined) outputs.push(...(await saveFigures(result, svg, [file])));
  if (csv !== undefined) outputs.push(...(await saveTables(result, csv, [file])));
  return {
    result: { kind: "report", of: result.kind, result: file, outputs },
    text: formatResult(result, context.terminal) + formatOutputs(outputs),
  };
}

function renderPage(
  result: DrawableResult,
  { title, command }: ReportVerbOptions,
  { commandLine, version }: Context,
): Promise<string> {
  return renderResultPage({
    title: title ?? titleOfResult(result),
    result,
    commands: [...(command ?? []), commandLine],
    version,
  });
}
