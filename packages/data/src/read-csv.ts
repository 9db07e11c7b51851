import { at, createTensor, FormatError, InputError, openFileSource, type Tensor } from "@isthmus/core";
import type { Examples } from "./examples.ts";
import { createLabelNames } from "./label-names.ts";
import { MAX_DATA_BYTES } from "./limits.ts";
import { splitRows } from "./split-csv-rows.ts";

/** Path and settings of a CSV file. */
export interface CsvRequest {
  /** Path of the file. */
  readonly file: string;
  /** Name of the label's column, or its number from 1; undefined to detect it. */
  readonly label: string | undefined;
  /** Whether the first row contains names of columns; undefined to detect it. */
  readonly hasHeader: boolean | undefined;
  /** Whether labels are numbers to be approximated, rather than classes. */
  readonly areNumbers: boolean;
  /** Number of examples to keep, from the first; 0 for all. */
  readonly limit: number;
}

/** Usual names of the column of labels, in lower case. */
const LABELS: readonly string[] = ["label", "target", "y", "class"];

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?\s*$/i;

/**
 * Reads a table of numbers with a label in each row: in the column that the request names, else in one with a
 * usual name, else in the last one. Labels that are whole numbers are used as classes, other labels are
 * numbered in the order of their names. In rows after the requested ones only the labels are read, as they
 * determine the classes. Labels to be approximated are used as numbers.
 * @returns inputs `[n, columns]` f32, and classes or numbers of these rows
 * @throws FormatError if a row has more or fewer fields than the first one, or a field is not a number
 * @throws InputError if there is no such column or no row
 */
export async function readCsv(request: CsvRequest): Promise<Examples & { readonly classes: number }> {
  const { file, limit } = request;
  const source = await openFileSource(file);
  try {
    const labels = request.areNumbers ? numberLabels(file) : classLabels(file);
    let layout: CsvLayout | undefined;
    const table = createTable(file);
    let rows = 0;
    for await (const { fields, line } of splitRows(source)) {
      if (layout === undefined) {
        layout = layoutOf(fields, request);
        if (layout.hasHeader) continue;
      }
      if (fields.length !== layout.columns) {
        throw csvError(
          file,
          `every row must have ${layout.columns} fields, as the first: line ${line} has ${fields.length}`,
        );
      }
      if (limit === 0 || rows < limit) table.add(fields, { skip: layout.label, line });
      labels.add(at(fields, layout.label, "field").trim(), line);
      rows++;
    }
    if (layout === undefined || rows === 0) {
      throw new InputError(`Cannot read "${file}" as a table must have rows of numbers: it has none`, {
        input: file,
      });
    }
    const size = table.count();
    const inputs = createTensor("f32", [size, layout.columns - 1], table.numbers());
    return { inputs, ...labels.first(size) };
  } finally {
    await source.close();
  }
}

/** Collects the labels of all rows. */
interface LabelColumn {
  /** @throws FormatError if the label is not of the collected kind */
  add(label: string, line: number): void;
  /** Returns the labels of the first rows, and the total number of classes. */
  first(size: number): { readonly labels: Tensor; readonly classes: number };
}

function classLabels(file: string): LabelColumn {
  const names = createLabelNames(file);
  return {
    add: (label) => names.add(label),
    first(size) {
      const stored = names.labels();
      const largest = stored.labels.reduce((most, label) => Math.max(most, label), 0);
      const labels = createTensor("i32", [size], stored.labels.slice(0, size));
      return { labels, classes: stored.names?.length ?? largest + 1 };
    },
  };
}

function numberLabels(file: string): LabelColumn {
  const table = createTable(file);
  return {
    add(label, line) {
      if (!NUMBER.test(label)) {
        throw csvError(
          file,
          `labels must be numbers, as ,numbers says: in line ${line} it is "${label.slice(0, 40)}"`,
        );
      }
      table.add([label], { skip: undefined, line });
    },
    first: (size) => ({ labels: createTensor("f32", [size], table.numbers().slice(0, size)), classes: 0 }),
  };
}

/** Layout of all rows, as the first one shows it. */
interface CsvLayout {
  readonly columns: number;
  /** Index of the label's column. */
  readonly label: number;
  readonly hasHeader: boolean;
}

function layoutOf(fields: readonly string[], { file, label, hasHeader }: CsvRequest): CsvLayout {
  const names = fields.map((field) => field.trim());
  const columns = names.length;
  if (columns < 2) {
    throw csvError(
      file,
      "a table must have at least two columns with commas between them, numbers and a label: it has 1",
    );
  }
  const usual = names.findIndex((name) => LABELS.includes(name.toLowerCase()));
  const isNamed = usual >= 0 || names.every((name) => !NUMBER.test(name));
  const header =
    hasHeader ?? (isNamed || (label !== undefined && !NUMBER.test(label) && names.includes(label)));
  const places = header ? names : [];
  if (label === undefined) {
    return { columns, hasHeader: header, label: header && usual >= 0 ? usual : columns - 1 };
  }
  return { columns, hasHeader: header, label: placeOf(label, places, { file, columns }) };
}

/** Finds the column of a name, or of a number from 1. */
function placeOf(
  label: string,
  names: readonly string[],
  { file, columns }: { readonly file: string; readonly columns: number },
): number {
  const place = names.includes(label) ? names.indexOf(label) : Number(label) - 1;
  if (Number.isInteger(place) && place >= 0 && place < columns) return place;
  const listed = names.length > 0 ? `, ${names.slice(0, 20).join(", ")}` : "";
  throw new InputError(
    `Cannot read "${file}" as the label must be one of its columns${listed}, or a number from 1 to ${columns}: it is "${label}"`,
    { input: file },
  );
}

/** Makes a table of numbers, in memory that grows with its rows. */
function createTable(file: string) {
  let numbers = new Float32Array(1024);
  let used = 0;
  let rows = 0;
  return {
    add(
      fields: readonly string[],
      { skip, line }: { readonly skip: number | undefined; readonly line: number },
    ): void {
      if (used + fields.length > numbers.length) numbers = grown(numbers, used + fields.length, file);
      fields.forEach((field, column) => {
        if (column === skip) return;
        if (!NUMBER.test(field)) {
          throw csvError(
            file,
            `fields must be numbers: column ${column + 1} of line ${line} is "${field.slice(0, 40)}"; if it is the label, say so: ,label=${column + 1} behind the file`,
          );
        }
        numbers[used++] = Number(field);
      });
      rows++;
    },
    count: () => rows,
    numbers: () => numbers.slice(0, used),
  };
}

function grown(numbers: Float32Array<ArrayBuffer>, least: number, file: string): Float32Array<ArrayBuffer> {
  const length = Math.max(least, 2 * numbers.length);
  if (4 * least > MAX_DATA_BYTES) {
    throw csvError(
      file,
      `its numbers may take ${MAX_DATA_BYTES} bytes of memory: they take more; take fewer rows, @N`,
    );
  }
  const longer = new Float32Array(Math.min(length, MAX_DATA_BYTES / 4));
  longer.set(numbers);
  return longer;
}

function csvError(file: string, reason: string): FormatError {
  return new FormatError(`Cannot read "${file}" as ${reason}`, { format: "csv" });
}
