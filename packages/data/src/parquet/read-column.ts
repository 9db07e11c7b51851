import { at, type ByteSource, InputError, openFileSource } from "@isthmus/core";
import { parquetError } from "./parquet-error.ts";
import { type ParquetFooter, readFooter } from "./read-footer.ts";
import { type ParquetPage, readPages } from "./read-pages.ts";

/** Maximum number of rows of all files, more than any data set of examples has. */
const MOST_ROWS = 2 ** 28;

/** A Parquet file, and its footer. */
export interface ParquetFile {
  /** Path of the file. */
  readonly path: string;
  /** Columns and groups of rows of the file. */
  readonly footer: ParquetFooter;
  /** Number of rows of the file. */
  readonly rows: number;
}

/** Reads the footers of files. @throws FormatError, InputError if a file is damaged or cannot be read */
export async function readParquetFiles(paths: readonly string[]): Promise<readonly ParquetFile[]> {
  const files: ParquetFile[] = [];
  let total = 0;
  for (const path of paths) {
    const footer = await whileOpen(path, readFooter);
    const rows = footer.groups.reduce((sum, group) => sum + group.rows, 0);
    total += rows;
    if (total > MOST_ROWS) throw parquetError(path, `a data set may have ${MOST_ROWS} rows: it claims more`);
    files.push({ path, footer, rows });
  }
  return files;
}

async function whileOpen<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFileSource(path);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/** A page of a column, and its position in the file. */
export interface PlacedPage extends ParquetPage {
  /** Path of the file that the page is in. */
  readonly file: string;
  /** Row of the file with which the page begins. */
  readonly firstRow: number;
}

/**
 * Reads a column of files page by page, so that only one page is in memory; callers may stop early.
 * @throws InputError if a file has no such column
 * @throws FormatError if a file is damaged
 */
export async function* readColumn(files: readonly ParquetFile[], path: string): AsyncGenerator<PlacedPage> {
  for (const { path: file, footer } of files) {
    const column = footer.columns.find((candidate) => candidate.path === path);
    if (column === undefined) {
      throw new InputError(
        `Cannot read "${file}" as it must have the column "${path}": it has ${namesOf(footer)}`,
        { input: file },
      );
    }
    const source = await openFileSource(file);
    try {
      let firstRow = 0;
      for (const { chunks, rows } of footer.groups) {
        const chunk = chunks.find((candidate) => candidate.path === path);
        if (chunk?.values !== rows) {
          throw parquetError(
            file,
            `column "${path}" must have a value for each of the ${rows} rows of a group: it has ${chunk?.values ?? "none"}`,
          );
        }
        for await (const page of readPages({ source, column, chunk })) {
          yield { ...page, file, firstRow };
          firstRow += page.count;
        }
      }
    } finally {
      await source.close();
    }
  }
}

/** Lists the columns of a file, for messages. */
export function namesOf({ columns }: ParquetFooter): string {
  return columns.map(({ path }) => path).join(", ") || "no columns";
}

/** Finds the first existing column among some names; `undefined` if there is none. */
export function findColumn(files: readonly ParquetFile[], names: readonly string[]): string | undefined {
  const { columns } = at(files, 0, "file").footer;
  return names.find((name) => columns.some(({ path }) => path === name));
}
