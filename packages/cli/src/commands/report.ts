import { basename } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type BarrierCurve, curvesOf } from "@isthmus/barrier";
import { saveFile, UsageError } from "@isthmus/core";
import {
  type Drawable,
  isNamedBarriers,
  joinToMap,
  readResult,
  renderResultPage,
  type Theme,
  titleOfResult,
} from "@isthmus/report";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatResult } from "../format/format-result.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { readResults } from "../result/read-results.ts";
import { assertFolder, saveFigures, savePdfFigures, saveTables } from "../result/save-parts.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface ReportVerbOptions {
  readonly output?: string | undefined;
  readonly svg?: string | undefined;
  readonly pdf?: string | undefined;
  readonly csv?: string | undefined;
  readonly theme: Theme;
  readonly label?: readonly string[] | undefined;
  readonly title?: string | undefined;
  readonly command?: readonly string[] | undefined;
}

/** Creates the command `isthmus report`. */
export function reportVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("report", HELP_GROUPS.done)
    .argument(
      "<results...>",
      "a .json file that another verb wrote, or printed with --json; several of barriers are drawn in one figure, and paths and planes on a map before them",
    )
    .option("-o, --output <file>", "write a page with figures and all numbers (.html)")
    .option("--svg <folder>", "write each figure of the page as .svg into this folder")
    .option("--pdf <folder>", "write each figure of the page as .pdf into this folder, for papers")
    .option("--csv <folder>", "write each table of the page as .csv into this folder")
    .addOption(
      new Option("--theme <name>", "colours of .svg and .pdf figures, for a light or a dark background")
        .choices(["light", "dark"] as const)
        .default("light" as const),
    )
    .option(
      "--label <name>",
      "with several barriers: the name of the next one in figures; may be repeated (default: names of files)",
      collect,
    )
    .option("--title <words>", "title of the page (default: what the result is of)")
    .addOption(
      new Option(
        "--command <line>",
        "a command line that made the result, to be shown on the page; may be repeated (default: what the result says)",
      ).argParser(collect),
    )
    .addHelpText("after", EXAMPLES)
    .action((files, options) => run(options, (context) => report(files, options, context)));
}

const EXAMPLES = formatExamples(
  ["isthmus report barrier.json", "charts and tables in the terminal"],
  ["isthmus report plane.json -o plane.html", "a page to publish"],
  [
    "isthmus report mnist-width/study.json -o study.html --svg figures --csv numbers",
    "a page, and its figures and tables as files of their own",
  ],
  ["isthmus report plane.json --pdf figures", "figures for a paper"],
  [
    "isthmus report seeds-01.json seeds-02.json --label 'seeds 0 and 1' --label 'seeds 0 and 2' --svg figures",
    "barriers of two pairs in one figure",
  ],
  [
    "isthmus report map.json curve.json plane.json -o walk.html",
    "a map to walk on, with the path of a curve, and the losses of a plane as the ground",
  ],
);

async function report(
  files: readonly string[],
  options: ReportVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { output, svg, pdf, csv, theme } = options;
  if (output !== undefined) {
    assertPageName(output);
    await assertOutput(output, files);
  }
  for (const folder of [svg, pdf, csv]) if (folder !== undefined) await assertFolder(folder);
  const result = await readDrawable(files, options.label);
  const outputs: string[] = [];
  if (output !== undefined) {
    await saveFile(output, await renderPage(result, options, context), files);
    outputs.push(output);
  }
  const inputs = files;
  if (svg !== undefined) outputs.push(...(await saveFigures(result, svg, { theme, inputs })));
  if (pdf !== undefined) outputs.push(...(await savePdfFigures(result, pdf, { theme, inputs })));
  if (csv !== undefined) outputs.push(...(await saveTables(result, csv, { inputs })));
  return {
    result: {
      kind: "report",
      of: isNamedBarriers(result) ? "barrier" : result.kind,
      results: files,
      outputs,
    },
    text: (await formatResult(result, context.terminal)) + formatOutputs(outputs),
  };
}

/**
 * Reads one result, a map with other results on it, or several barriers, named by `labels` or by their files.
 * @throws UsageError if the numbers of names and barriers differ, or one of several results is no barrier
 */
async function readDrawable(files: readonly string[], labels: readonly string[] = []): Promise<Drawable> {
  const [file, ...others] = files;
  if (file !== undefined && labels.length === 0) {
    const first = await readResult(file);
    if (others.length === 0) return first;
    if (first.kind === "map") return await joinToMap(first, await readResults(others));
  }
  if (labels.length > 0 && labels.length !== files.length) {
    throw new UsageError(
      `Cannot name barriers as every file needs a --label, or none: got ${labels.length} for ${files.length} files`,
    );
  }
  const named: BarrierCurve[] = [];
  for (const [index, path] of files.entries()) {
    const result = await readResult(path);
    if (result.kind !== "barrier") {
      throw new UsageError(
        `Cannot draw "${path}" beside others as only barriers share a figure: it is of kind "${result.kind}"; give it alone, without --label`,
      );
    }
    const name = labels[index] ?? basename(path, ".json");
    const curves = curvesOf(result);
    // A file with curves before and after alignment has two, which stay apart by their labels.
    const labelOf = ({ label }: BarrierCurve) => (curves.length === 1 ? name : `${name}, ${label}`);
    named.push(...curves.map((curve) => ({ ...curve, label: labelOf(curve) })));
  }
  return named;
}

async function renderPage(
  result: Drawable,
  { title, command }: ReportVerbOptions,
  { commandLine, version }: Context,
): Promise<string> {
  const alone = isNamedBarriers(result) ? undefined : result;
  const made = alone?.provenance === undefined ? [] : [alone.provenance.command];
  return renderResultPage({
    title: title ?? (alone ? await titleOfResult(alone) : "Barriers of several pairs of networks"),
    result,
    commands: [...(command ?? made), commandLine],
    version,
  });
}
