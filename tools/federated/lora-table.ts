/**
 * Prints the lines of `lora.ts` as a table: losses by round, and the error of the last aggregate.
 *
 *     npx tsx --conditions=@isthmus/source tools/federated/lora-table.ts 3 lines.jsonl [MORE.jsonl...]
 *
 * The first argument is the last round that is shown; ways that did not come so far are left out. Ways of
 * several seeds have a row for each.
 */
import { readFile } from "node:fs/promises";

interface Line {
  readonly way: string;
  readonly seed: number;
  readonly round: number;
  readonly loss: number;
  readonly error?: number;
}

const [last = "", ...paths] = process.argv.slice(2);
const rounds = Number(last);
const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
const lines = texts
  .flatMap((text) => text.split("\n"))
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line) as Line);
const hasSeeds = new Set(lines.map(({ seed }) => seed)).size > 1;
const ways = new Map<string, Line[]>();
for (const line of lines) {
  const way = hasSeeds ? `\`${line.way}\`, seed ${line.seed}` : `\`${line.way}\``;
  ways.set(way, [...(ways.get(way) ?? []), line]);
}

const shown = Array.from({ length: rounds }, (_, i) => i + 1);
console.log(`| way | ${shown.map((round) => `loss after ${round}`).join(" | ")} | error |`);
console.log(`|---|${"---|".repeat(rounds + 1)}`);
for (const [way, of] of ways) {
  const byRound = new Map(of.map((line) => [line.round, line]));
  const ends = byRound.get(rounds);
  if (ends === undefined) continue;
  const losses = shown.map((round) => byRound.get(round)?.loss.toFixed(3) ?? "");
  console.log(`| ${way} | ${losses.join(" | ")} | ${((ends.error ?? 0) * 100).toFixed(1)} % |`);
}
