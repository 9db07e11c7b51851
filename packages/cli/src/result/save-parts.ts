import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createFolder, InputError, saveFile } from "@isthmus/core";
import {
  type Drawable,
  FIGURES_DEFAULTS,
  renderFigures,
  renderPdfFigures,
  renderTables,
  type Theme,
} from "@isthmus/report";

/**
 * Checks that files can be written into a folder: it exists, or nothing has its name yet.
 * @throws InputError if it is a file
 */
export async function assertFolder(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || stats.isDirectory()) return;
  throw new InputError(`Cannot write into "${path}" as it must be a folder: it is a file; name another`, {
    input: path,
  });
}

/** Options for writing the parts of a result. */
export interface PartsOptions {
  /** Colours of figures. @defaultValue "light" */
  readonly theme?: Theme;
  /** Files that must not be replaced. @defaultValue none */
  readonly inputs?: readonly string[];
}

/**
 * Writes the figures of a result into a folder, each as an SVG file that needs no other file;
 * returns the files.
 */
export async function saveFigures(
  result: Drawable,
  folder: string,
  { theme = FIGURES_DEFAULTS.theme, inputs = [] }: PartsOptions = {},
): Promise<string[]> {
  const figures = await renderFigures(result, { theme });
  return saveAll(
    figures.map(({ name, svg }) => [join(folder, `${name}.svg`), svg]),
    folder,
    inputs,
  );
}

/** Writes the figures of a result into a folder, each as a PDF of one page; returns the files. */
export async function savePdfFigures(
  result: Drawable,
  folder: string,
  { theme = FIGURES_DEFAULTS.theme, inputs = [] }: PartsOptions = {},
): Promise<string[]> {
  const figures = await renderPdfFigures(result, { theme });
  return saveAll(
    figures.map(({ name, pdf }) => [join(folder, `${name}.pdf`), pdf]),
    folder,
    inputs,
  );
}

/** Writes the tables of a result into a folder, each as CSV; returns the files. */
export async function saveTables(
  result: Drawable,
  folder: string,
  { inputs = [] }: Pick<PartsOptions, "inputs"> = {},
): Promise<string[]> {
  return saveAll(
    (await renderTables(result)).map(({ name, csv }) => [join(folder, `${name}.csv`), csv]),
    folder,
    inputs,
  );
}

async function saveAll(
  files: readonly (readonly [path: string, content: string | Uint8Array])[],
  folder: string,
  inputs: readonly string[],
): Promise<string[]> {
  await createFolder(folder);
  for (const [path, content] of files) await saveFile(path, content, inputs);
  return files.map(([path]) => path);
}
