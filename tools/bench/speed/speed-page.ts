import type { RowTimes } from "./measure-row.ts";

/** Result of a run of all rows. */
export interface SpeedResult {
  /** Which rows and settings were run. */
  readonly suite: "quick" | "full";
  /** Time at which the run began, in ISO format. */
  readonly began: string;
  /** Version of the repository. */
  readonly commit: string;
  /** Processor of the machine, in words. */
  readonly machine: string;
  /** Device that computed. */
  readonly device: string;
  /** Threads of both sides. */
  readonly threads: number;
  /** Load of the machine over the minute before the run. */
  readonly load: number;
  /** Whether other programs were running, so that ratios say little. */
  readonly underLoad: boolean;
  /** Version of Node.js. */
  readonly node: string;
  /** Rows, in the order of their definitions. */
  readonly rows: readonly RowTimes[];
}

const PAGE_HEAD = `# Speed beside peers

Every row is one piece of work that ours and a peer do in turns in one run, on the same weights and examples, which a number that both
compute proves. A ratio is our time over that of the peer's fastest setting: below 1 ours is faster. It is the median of the rounds,
beside the least and the largest of them.
`;

const PAGE_FOOT = `\`npm run bench -- --python PYTHON --mergekit PYTHON --full\` measures the table again, without \`--full\` a part of it in some minutes;
the first PYTHON has PyTorch and other peers, the second mergekit. Rows are defined in \`tools/bench/speed/rows.ts\`. All numbers of the
last run are in \`docs/speed.json\`, the ratios of earlier runs in \`docs/speed-history.json\`. On a machine that is busy nothing is written.
`;

/** Words of the page until a run is written. */
const NO_RUN = "No run on a quiet machine has been written yet.\n";

/** Writes the page of a result; of none yet if it is undefined. */
export function speedPage(result: SpeedResult | undefined): string {
  return [PAGE_HEAD, ...(result === undefined ? [NO_RUN] : describeRun(result)), PAGE_FOOT].join("\n");
}

function describeRun(result: SpeedResult): string[] {
  const { began, machine, device, threads, load, underLoad, node, rows, suite, commit } = result;
  const versions = Object.entries(rows[0]?.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  const warning = underLoad ? " **Under load: other programs were running, and the ratios say little.**" : "";
  return [
    `Measured on ${began.slice(0, 10)} at ${commit} (${suite}): ${machine}, ${threads} threads, on the ${device}, Node.js ${node}, ${versions.join(", ")}.\n` +
      `Load of the machine when it began: ${load.toFixed(2)}.${warning}\n`,
    speedTable(rows),
  ];
}

/** Writes rows as a table of Markdown. */
export function speedTable(rows: readonly RowTimes[]): string {
  const lines = rows.map(({ name, unit, peer, ours, theirs, ratio, spread: [least, most] }) => {
    const range = `${least.toFixed(2)}–${most.toFixed(2)}`;
    return `| ${name} | ${unit} | ${peer} | ${milliseconds(ours)} | ${milliseconds(theirs)} | ${ratio.toFixed(2)} | ${range} |`;
  });
  const head = [
    "| work | unit | fastest peer | ours, ms | peer, ms | ratio | range |",
    "|---|---|---|--:|--:|--:|--:|",
  ];
  return `${[...head, ...lines].join("\n")}\n`;
}

const milliseconds = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
