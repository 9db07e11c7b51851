import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import type { StudyResult, StudyTable, StudyValue } from "@isthmus/study";
import { formatJson } from "../format-json.ts";

/** Writes the results of a study into its folder, a CSV file for every table among them; returns the files. */
export async function saveStudy(study: StudyResult, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files: [path: string, content: string][] = [
    [join(folder, "study.json"), formatJson(study)],
    ...study.tables.map((table): [string, string] => [join(folder, `${table.name}.csv`), formatCsv(table)]),
  ];
  for (const [path, content] of files) await saveFile(path, content);
  return files.map(([path]) => path);
}

/** A table as CSV (RFC 4180), keys of columns first. */
function formatCsv({ columns, rows }: StudyTable): string {
  const lines = [
    columns.map(({ key }) => key),
    ...rows.map((row) => columns.map(({ key }) => row[key] ?? null)),
  ];
  return lines.map((cells) => `${cells.map(formatCsvCell).join(",")}\r\n`).join("");
}

function formatCsvCell(value: StudyValue): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
