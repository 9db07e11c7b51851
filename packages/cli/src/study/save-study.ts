import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import { renderStudyPage } from "@isthmus/report";
import type { StudyResult } from "@isthmus/study";
import { formatJson } from "../format-json.ts";
import { saveFigures, saveTables } from "../result/save-parts.ts";

/** What the page of a study says beside its results. */
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
  const parts = [...(await saveTables(study, folder)), ...(await saveFigures(study, folder))];
  const page = join(folder, "study.html");
  await saveFile(
    page,
    await renderStudyPage({ title: study.title, result: study, commands: [command], version }),
  );
  const json = join(folder, "study.json");
  await saveFile(json, formatJson(study));
  return [json, page, ...parts];
}
