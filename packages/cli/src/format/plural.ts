/** Returns a count with its noun, such as `1 task` or `2 tasks`. */
export const plural = (count: number, one: string, more: string): string =>
  `${count} ${count === 1 ? one : more}`;
