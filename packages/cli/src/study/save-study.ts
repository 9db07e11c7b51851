import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import { renderFigures, renderStudyPage, renderTables } from "@isthmus/report";
import type { StudyResult } from "@isthmus/study";
import { formatJson } from "../format-json.ts";

/** What the files of a study say beside its results. */
export interface StudyMaking {
  /** Command line that gives the study again. */
  readonly command: string;
  readonly version: string;
}

/** Writes the results of a study into its folder: the JSON, a page, and every table and figure as a file; returns the files. */
export async function saveStudy(
  study: StudyResult,
  folder: string,
  { command, version }: StudyMaking,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const page = { title: study.title, result: study, commands: [command], version };
  const files: [name: string, content: string][] = [
    ["study.json", formatJson(study)],
    ["study.html", await renderStudyPage(page)],
    ...renderTables(study).map(({ name, csv }): [string, string] => [`${name}.csv`, csv]),
    ...(await renderFigures(study)).map(({ name, svg }): [string, string] => [`${name}.svg`, svg]),
  ];
  const paths = files.map(([name]) => join(folder, name));
  for (const [name, content] of files) await saveFile(join(folder, name), content);
  return paths;
}
