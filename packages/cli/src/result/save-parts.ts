import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { saveFile } from "@isthmus/core";
import { type DrawableResult, renderFigures, renderTables } from "@isthmus/report";

/** Writes the figures of a result into a folder, each as an SVG that stands alone; returns the files. */
export async function saveFigures(
  result: DrawableResult,
  folder: string,
  inputs: readonly string[] = [],
): Promise<string[]> {
  const figures = await renderFigures(result);
  return saveAll(
    figures.map(({ name, svg }) => [join(folder, `${name}.svg`), svg]),
    folder,
    inputs,
  );
}

/** Writes the tables of a result into a folder, each as CSV; returns the files. */
export async function saveTables(
  result: DrawableResult,
  folder: string,
  inputs: readonly string[] = [],
): Promise<string[]> {
  return saveAll(
    renderTables(result).map(({ name, csv }) => [join(folder, `${name}.csv`), csv]),
    folder,
    inputs,
  );
}

async function saveAll(
  files: readonly (readonly [path: string, content: string])[],
  folder: string,
  inputs: readonly string[],
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of files) await saveFile(path, content, inputs);
  return files.map(([path]) => path);
}
