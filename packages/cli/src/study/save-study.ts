import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import { type Provenance, renderResultPage, titleOfResult } from "@isthmus/report";
import type { StudyResult } from "@isthmus/study";
import { formatJson } from "../format/format-json.ts";
import { saveFigures, saveTables } from "../result/save-parts.ts";

/**
 * Writes the results of a study into its folder: the JSON, a page, and every table and figure as a file;
 * returns the files.
 */
export async function saveStudy(
  study: StudyResult & { readonly provenance: Provenance },
  folder: string,
): Promise<readonly string[]> {
  const parts = [...(await saveTables(study, folder)), ...(await saveFigures(study, folder))];
  const page = join(folder, "study.html");
  const { command, version } = study.provenance;
  await saveFile(
    page,
    await renderResultPage({ title: titleOfResult(study), result: study, commands: [command], version }),
  );
  const json = join(folder, "study.json");
  await saveFile(json, formatJson(study));
  return [json, page, ...parts];
}
