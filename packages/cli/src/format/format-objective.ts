/** Shows what an alignment maximised before and after: losses to four places, sums to two. */
export function formatObjective({
  before,
  after,
}: {
  readonly before: number;
  readonly after: number;
}): string {
  const digits = Math.max(Math.abs(before), Math.abs(after)) < 10 ? 4 : 2;
  return `${before.toFixed(digits)} before, ${after.toFixed(digits)} after`;
}
