import { at } from "@isthmus/core";
import { limitTo } from "../assert-reads.ts";
import { openArrays } from "../open-arrays.ts";
import { readCsv } from "../read-csv.ts";
import type { DataKind } from "./data-kind.ts";

/** Tables of numbers with a label in each row. */
export const csvKind: DataKind = {
  name: "csv",
  forms: [
    {
      form: "csv:FILE",
      what: "a table of numbers with commas between them; the label is the column named label, target, y or class, else the last, or `,label=NAME` (or its number from 1) behind the file says it; names of classes are numbered in their order, and with `,numbers` labels are numbers to be approximated; `,header` or `,no-header` says whether the first row has names",
      example: "csv:iris.csv,label=species",
    },
  ],
  place: "a file",
  endings: [".csv"],
  settings: { label: /label=(.+)/, header: /header|no-header/, numbers: /numbers/ },
  splits: [],
  async open({ name, paths, settings, limit }, options) {
    const { label, header, numbers } = settings;
    const areNumbers = numbers !== undefined;
    const hasHeader = header === undefined ? undefined : header === "header";
    const { classes, ...examples } = await readCsv({
      file: at(paths, 0, "path"),
      label,
      hasHeader,
      areNumbers,
      limit,
    });
    limitTo(limit, at(examples.inputs.shape, 0, "axis"), name);
    return openArrays({ name, limit }, examples, options, { classes });
  },
};
