import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenedTask, openOwnTask } from "./own-tasks.ts";
import { type PeerProcess, type PeerProgram, startPeer } from "./peer-process.ts";
import type { SpeedRow } from "./rows.ts";

/** How rows are measured. */
export interface MeasureOptions {
  /** Interpreter that has the peers. */
  readonly python: string;
  /** Interpreter that has mergekit. */
  readonly mergekit: string;
  /** Threads of both sides. */
  readonly threads: number;
  /** Times that both sides take turns. */
  readonly rounds: number;
  /** Seconds of work in a turn, at least; a turn is at least one unit. */
  readonly seconds: number;
  /** Whether only the first two settings of a peer are tried. */
  readonly quick: boolean;
}

/** Times of one row on both sides. */
export interface RowTimes {
  /** Name of the row. */
  readonly name: string;
  /** Words for a unit of the work. */
  readonly unit: string;
  /** Setting of the peer that was fastest. */
  readonly peer: string;
  /** Our milliseconds for a unit, the median of the rounds. */
  readonly ours: number;
  /** Milliseconds of the fastest peer for a unit, the median of the rounds. */
  readonly theirs: number;
  /** Our time over the peer's, the median of the rounds' ratios; below 1 we are faster. */
  readonly ratio: number;
  /** Smallest and largest ratio of the rounds. */
  readonly spread: readonly [number, number];
  /** Milliseconds of a unit in each round, by who did it. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  /** Versions that the peer runs on. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Largest relative difference of the number that both sides compute. */
const SAME = 1e-3;
/** Largest relative difference of the largest eigenvalue, as few products of a random vector find it. */
const SAME_ESTIMATE = 0.3;

/** Both sides of a row, ready to work. */
interface OpenedRow {
  readonly own: OpenedTask;
  /** Peers that can do the work, by their setting, in the order of the row. */
  readonly peers: ReadonlyMap<string, PeerProcess>;
  /** Number that ours computes, which the peers compute as well; null if there is none. */
  readonly check: number | null;
}

/** Opens both sides of a row, once they are seen to do the same work, and closes them after their use. */
async function withRow<T>(
  row: SpeedRow,
  options: MeasureOptions,
  use: (opened: OpenedRow) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-speed-"));
  const own = await openOwnTask(row, folder, options.threads);
  const peers = new Map<string, PeerProcess>();
  try {
    const check = await own.once();
    for (const setting of options.quick ? row.peers.slice(0, 2) : row.peers) {
      const peer = await startPeer(programFor(row, options), folder, setting);
      if (peer === undefined) continue;
      peers.set(setting, peer);
      assertSame(row, setting, [check, peer.check]);
    }
    if (peers.size === 0) {
      throw new Error(
        `Cannot measure "${row.name}" as none of its peers runs: install what torch-peer.py and array-peer.py name`,
      );
    }
    return await use({ own, peers, check });
  } finally {
    for (const peer of peers.values()) await peer.close();
    await own.release();
    rmSync(folder, { recursive: true, force: true });
  }
}

function programFor({ task }: SpeedRow, { python, mergekit }: MeasureOptions): PeerProgram {
  const script = "net" in task ? "./torch-peer.py" : "./array-peer.py";
  return { python: task.kind === "merge" ? mergekit : python, script };
}

/** Does a row once on both sides, and says what both computed. */
export function checkRow(row: SpeedRow, options: MeasureOptions): Promise<string> {
  return withRow({ ...row, peers: row.peers.slice(0, 1) }, options, async ({ peers, check }) => {
    return [`ours ${check}`, ...[...peers].map(([name, peer]) => `${name} ${peer.check}`)].join(", ");
  });
}

/** Times a row: each round every side takes a turn, in an order that changes from round to round. */
export function measureRow(row: SpeedRow, options: MeasureOptions): Promise<RowTimes> {
  return withRow(row, options, async ({ own, peers }) => {
    const ours = async (times: number) => {
      const start = performance.now();
      for (let i = 0; i < times; i++) await own.once();
      return (performance.now() - start) / 1000;
    };
    const sides = new Map([["ours", ours], ...[...peers].map(([name, { run }]) => [name, run] as const)]);
    return summarize(row, await takeTurns(sides, options), [...peers.values()][0]?.versions ?? {});
  });
}

/**
 * Checks that both sides did the same work.
 * @throws Error if the number that both compute differs
 */
function assertSame({ name, task }: SpeedRow, setting: string, checks: readonly (number | null)[]): void {
  const [ours, theirs] = checks;
  // Estimates of a trace differ by more than the trace, as eigenvalues have both signs: the row of the product says enough.
  if (ours == null || theirs == null || task.kind === "trace") return;
  const within = task.kind === "density" ? SAME_ESTIMATE : SAME;
  if (Math.abs(ours - theirs) <= within * Math.abs(theirs)) return;
  throw new Error(
    `Cannot compare "${name}" with ${setting} as both must compute the same: ours gives ${ours}, theirs ${theirs}`,
  );
}

type Side = (times: number) => Promise<number>;

/** Returns the milliseconds of a unit in each round, by side. */
async function takeTurns(
  sides: ReadonlyMap<string, Side>,
  { rounds, seconds }: MeasureOptions,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number>();
  for (const [name, run] of sides) {
    await run(1);
    const once = await run(1);
    times.set(name, Math.max(1, Math.round(seconds / once)));
  }
  const taken = new Map([...sides.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [...sides] : [...sides].toReversed();
    for (const [name, run] of order) {
      const count = times.get(name) ?? 1;
      taken.get(name)?.push((1000 * (await run(count))) / count);
    }
  }
  return taken;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

function summarize(
  { name, unit }: SpeedRow,
  taken: ReadonlyMap<string, readonly number[]>,
  versions: RowTimes["versions"],
): RowTimes {
  const ours = taken.get("ours") ?? [];
  const [fastest] = [...taken]
    .filter(([side]) => side !== "ours")
    .toSorted(([, a], [, b]) => median(a) - median(b));
  const [peer, theirs] = fastest ?? ["", []];
  const ratios = ours.map((time, i) => time / (theirs[i] ?? Number.NaN));
  return {
    name,
    unit,
    peer,
    ours: median(ours),
    theirs: median(theirs),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    rounds: Object.fromEntries(taken),
    versions,
  };
}
