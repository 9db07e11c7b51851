import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import type { Provenance } from "@isthmus/findings";
import { renderResultPage, titleOfResult } from "@isthmus/report";
import type { SimulationResult } from "@isthmus/simulation";
import type { StudyResult } from "@isthmus/study";
import { sumByWorker } from "@isthmus/tasks";
import { formatJson } from "../format/format-json.ts";
import { saveFigures, saveTables } from "../result/save-parts.ts";

/** Name of the folder for the files of tasks, within the folder of the results. */
export const TASKS = "tasks";

/**
 * Writes the results of a study or a simulation into its folder: the JSON, a page, and every table and figure
 * as a file; returns the files.
 */
export async function saveDescribed(
  result: (StudyResult | SimulationResult) & { readonly provenance: Provenance },
  folder: string,
): Promise<readonly string[]> {
  const parts = [...(await saveTables(result, folder)), ...(await saveFigures(result, folder))];
  const page = join(folder, `${result.kind}.html`);
  const { command, version } = result.provenance;
  await saveFile(
    page,
    await renderResultPage({
      title: await titleOfResult(result),
      result,
      commands: [command],
      version,
      workers: await sumByWorker(join(folder, TASKS)),
    }),
  );
  const json = join(folder, `${result.kind}.json`);
  await saveFile(json, formatJson(result));
  return [json, page, ...parts];
}
