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

const PAGE_FOOT = `\`npm run bench -- --python PYTHON --full\` measures the table again, without \`--full\` a part of it in some minutes; PYTHON has PyTorch
and the other peers. Rows are defined in \`tools/bench/speed/rows.ts\`, a line each. All numbers of the last run are in \`docs/speed.json\`, the
ratios of earlier runs in \`docs/speed-history.json\`. On a machine that is busy nothing is written.
`;

/** Profiles of the steps that are behind, which no run measures. */
const PAGE_LIMITS = `## Why what is behind is behind

Training steps of dense networks and transformers are behind by their matrix products. Best of 200 runs in turn with PyTorch 2.15, on one
thread of an Intel Xeon with AVX-512, in billions of operations a second; terms are those of a sum, and T marks a transposed operand:

| product | rows × terms × columns | onnxruntime 1.30 | PyTorch |
|---|---|--:|--:|
| mlp:512x3, forward, x Wᵀ | 128 × 784 × 512 | 142 | 206 |
| mlp:512x3, forward, x Wᵀ | 128 × 512 × 512 | 172 | 207 |
| mlp:512x3, gradient for weights, gᵀ x | 512 × 128 × 784 | 113 | 221 |
| mlp:512x3, gradient for weights, gᵀ x | 512 × 128 × 512 | 118 | 222 |
| mlp:512x3, gradient for inputs, g W | 128 × 512 × 512 | 165 | 231 |
| gpt, first layer of a block, x W | 1024 × 128 × 512 | 123 | 225 |
| gpt, second layer of a block, x W | 1024 × 512 × 128 | 179 | 225 |
| gpt, gradient for weights, xᵀ g | 128 × 1024 × 512 | 141 | 209 |
| vit, first layer of a block, x Wᵀ | 1600 × 128 × 512 | 121 | 222 |
| vit, gradient for weights, gᵀ x | 512 × 1600 × 128 | 170 | 200 |

Sums of 128 terms, of which gradients for weights consist at a batch of 128, run at half the speed; Gemm, MatMul and FusedMatMul are alike.
Shares of the time of all nodes, on one thread:

| step | products | element by element | changes of layout | norms | softmax | sums |
|---|--:|--:|--:|--:|--:|--:|
| mlp:512x3, momentum | 91 % | 6 % | 2 % | – | 1 % | 1 % |
| gpt | 50 % | 30 % | 8 % | 4 % | 4 % | 3 % |
| vit | 55 % | 25 % | 9 % | 4 % | 1 % | 5 % |

What is computed element by element, above all the gradient of GELU in 15 nodes, is one pass over memory for each node; compiled PyTorch
makes one pass of all. A bias of a product is written by one thread in a pass of its own, which costs up to a fifth of a product of 128 terms.

On Linux, \`GLIBC_TUNABLES=glibc.malloc.hugetlb=1\` before a command takes 2 to 4 % off the time of all steps, as memory then comes in large pages.
`;

/** Words of the page until a run is written. */
const NO_RUN = "No run on a quiet machine has been written yet.\n";

/** Writes the page of a result; of none yet if it is undefined. */
export function speedPage(result: SpeedResult | undefined): string {
  return [PAGE_HEAD, ...(result === undefined ? [NO_RUN] : describeRun(result)), PAGE_LIMITS, PAGE_FOOT].join(
    "\n",
  );
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
