import {
  at,
  byteLengthOf,
  type Checkpoint,
  describeMaking,
  openCheckpoint,
  saveCheckpoint,
} from "@isthmus/core";
import type { Engine } from "@isthmus/graph";
import { type AlignedNetwork, align, reportAlignment } from "@isthmus/weight-matching";
import { openBound } from "@isthmus/zoo";
import type { Handling } from "../protocol.ts";
import { commandOf } from "./commands.ts";
import type { Aligned, PairChoice, WithCommand, WorkProgress } from "./lab-requests.ts";

declare const VERSION: string;

/** Two networks bound to their graph, with B aligned. */
export interface AlignedPair {
  readonly architecture: Awaited<ReturnType<typeof openBound>>["architecture"];
  readonly second: AlignedNetwork;
  readonly told: WithCommand<Aligned>;
  /** The networks as their files hold them. */
  readonly checkpoints: readonly [Checkpoint, Checkpoint];
}

/** Aligns pairs of networks, and remembers the last one, as several requests build on it. */
export class PairAligner {
  readonly #engine: () => Promise<Engine>;
  #last: { readonly key: string; readonly pair: AlignedPair } | undefined;

  constructor(engine: () => Promise<Engine>) {
    this.#engine = engine;
  }

  /** Forgets the last pair, whose files may have changed. */
  async forget(): Promise<void> {
    const last = this.#last;
    this.#last = undefined;
    for (const checkpoint of last?.pair.checkpoints ?? []) await checkpoint.close();
  }

  /** Aligns B to A, unless it was just done. */
  async align(
    choice: PairChoice,
    handling: Pick<Handling<WorkProgress>, "signal" | "report">,
  ): Promise<AlignedPair> {
    const key = JSON.stringify([choice.a, choice.b, choice.graph]);
    if (this.#last?.key === key) return this.#last.pair;
    await this.forget();
    const checkpoints = [await openCheckpoint(choice.a), await openCheckpoint(choice.b)] as const;
    try {
      const pair = await alignOpened(checkpoints, choice, { engine: await this.#engine(), ...handling });
      this.#last = { key, pair };
      return pair;
    } catch (error) {
      for (const checkpoint of checkpoints) await checkpoint.close();
      throw error;
    }
  }
}

async function alignOpened(
  checkpoints: readonly [Checkpoint, Checkpoint],
  { a, b, graph }: PairChoice,
  { engine, signal, report }: Pick<Handling<WorkProgress>, "signal" | "report"> & { readonly engine: Engine },
): Promise<AlignedPair> {
  const began = performance.now();
  const { architecture } = await openBound([a, b], checkpoints, {}, { engine, graph, signal });
  const { aligned } = await align(architecture, architecture.networks, {
    method: "weight",
    seed: 0,
    signal,
    onProgress: reportAlignment("weight", (stage, done = 0) => report({ done, stage })),
  });
  const second = at(aligned, 0, "aligned network");
  const { objective, verified } = second.summary;
  const { source } = second.alignment;
  const name = alignedName(b);
  const told = {
    before: objective.before,
    after: objective.after,
    bound: second.match.method === "weight" ? second.match.bound : Number.NaN,
    moved: source.reduce((count, from, to) => (from === to ? count : count + 1), 0),
    units: source.length,
    maxRelativeError: verified.maxRelativeError,
    narrowed: verified.narrowed,
    seconds: (performance.now() - began) / 1000,
    bytes: [...second.restored.tensors.values()].reduce((sum, info) => sum + byteLengthOf(info), 0),
    name,
    command: commandOf("align", a, b, "--graph", graph, "-o", name),
  };
  return { architecture, second, told, checkpoints };
}

/** Names the file of an aligned network. */
function alignedName(path: string): string {
  const name = path.split("/").at(-1) ?? path;
  return `${name.replace(/\.[^.]*$/, "")}-aligned.safetensors`;
}

/** Writes the aligned network, with the same bytes as `isthmus align`. */
export async function saveAligned(
  { second: { restored }, checkpoints }: AlignedPair,
  path: string,
  { signal, report }: Pick<Handling<WorkProgress>, "signal" | "report">,
): Promise<void> {
  const making = describeMaking(checkpoints, { verb: "align", version: VERSION, method: "weight", seed: 0 });
  await saveCheckpoint(restored, path, {
    metadata: { ...restored.metadata, ...making },
    overwrite: true,
    signal,
    onProgress: ({ done }) => report({ done, stage: "Writing" }),
  });
}
