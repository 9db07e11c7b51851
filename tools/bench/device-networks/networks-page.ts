import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../packages.mjs";
import type { NetworkOnDevice, RunOnDevice } from "./compare-network.ts";
import type { DeviceNetwork } from "./networks.ts";

const RESULTS = join(root, "docs/device-networks.json");
const PAGE = join(root, "docs/devices.md");
const TABLE = /(<!-- networks -->\n).*(<!-- \/networks -->)/s;

/** Puts results in the places of older ones of the same networks, and makes the page's table anew. */
export function writeResults(results: readonly NetworkOnDevice[], networks: readonly DeviceNetwork[]): void {
  const known: readonly NetworkOnDevice[] = existsSync(RESULTS)
    ? JSON.parse(readFileSync(RESULTS, "utf8"))
    : [];
  const byName = new Map([...known, ...results].map((result) => [result.network, result]));
  const order = networks.map(({ name }) => name);
  const sorted = [...byName.values()].toSorted((a, b) => order.indexOf(a.network) - order.indexOf(b.network));
  writeFileSync(RESULTS, `[\n${sorted.map((result) => `  ${JSON.stringify(result)}`).join(",\n")}\n]\n`);
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    page.replace(TABLE, (_, begin, end) => `${begin}\n${networksTable(sorted)}${end}`),
  );
}

/** Returns the table of networks in Markdown. */
export function networksTable(results: readonly NetworkOnDevice[]): string {
  const lines = results.map(({ network, examples = [], forward, step, rounding, failure }) => {
    const cells = [
      `\`${network}\``,
      examples.join(" x "),
      differenceOf(forward?.difference),
      differenceOf(step?.difference),
      differenceOf(rounding),
      placeOf(step ?? forward),
      failure ?? "",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| network | examples | forward | gradients | rounding | nodes of a step on the device; on the processor | not done |",
    "|---|---|--:|--:|--:|---|---|",
    ...lines,
    "",
  ].join("\n");
}

function differenceOf(difference: number | undefined): string {
  return difference === undefined ? "" : difference.toExponential(1);
}

function placeOf(run: RunOnDevice | undefined): string {
  if (run === undefined) return "";
  const left = Object.entries(run.onProcessor).map(([operator, count]) => `${count} ${operator}`);
  return `${run.onDevice}${left.length === 0 ? "" : `; ${left.join(", ")}`}`;
}
