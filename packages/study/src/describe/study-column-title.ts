import type { StudyTable } from "../study-result.ts";

/** Returns the title of a column of a study's table, with its unit in brackets. */
export function studyColumnTitle({ columns }: StudyTable, key: string): string {
  const column = columns.find((one) => one.key === key);
  return column?.unit === undefined ? (column?.title ?? key) : `${column.title} (${column.unit})`;
}
