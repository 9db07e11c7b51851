import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PICKLE_BOMBS } from "../../../packages/core/test-fixtures/pickles.ts";
import { trainingRun } from "../../../packages/core/test-fixtures/runs.ts";
import type { Dice } from "../dice.ts";
import { edgeNumber, mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutatePickle } from "../mutate/mutate-pickle.ts";
import { mutateHeaders } from "../mutate/zip-archive.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

/** A target of files that a training program wrote, of which one is changed, left out or put for another. */
interface RunTarget {
  readonly name: string;
  /** Names of checkpoints in `packages/core/test-fixtures/runs`. */
  readonly runs: readonly string[];
  /** Further ways to change the bytes of a file. */
  readonly change?: (dice: Dice, bytes: Buffer) => Buffer;
  readonly bombs?: (files: Readonly<Record<string, Buffer>>) => Iterable<FuzzInput>;
}

/** Puts all files into one folder, as a target writes them. */
const flat = (files: Readonly<Record<string, Buffer>>): Readonly<Record<string, Buffer>> =>
  Object.fromEntries(
    Object.entries(files)
      .filter(([path]) => path !== "latest")
      .map(([path, bytes]) => [path.split("/").at(-1) ?? path, bytes]),
  );

function createRunTarget({ name, runs, change, bombs }: RunTarget): FuzzTarget {
  const seeds = runs.map((run) => flat(trainingRun(run).files));
  return {
    name,
    valid: () => seeds,
    *bombs() {
      for (const seed of seeds) yield* bombs?.(seed) ?? [];
    },
    make(dice) {
      const files: Record<string, Uint8Array> = { ...dice.pick(seeds) };
      for (let round = 1 + dice.below(2); round > 0; round--) {
        const file = dice.pick(Object.keys(files));
        const bytes = Buffer.from(files[file] ?? []);
        if (dice.chance(0.05) && Object.keys(files).length > 1) delete files[file];
        else if (dice.chance(0.05)) files[dice.pick(Object.keys(files))] = bytes;
        else if (change !== undefined && dice.chance(0.6)) files[file] = change(dice, bytes);
        else files[file] = mutateBytes(dice, bytes);
      }
      return files;
    },
    async read(folder) {
      const names = readdirSync(folder);
      const [only, ...others] = names;
      await readTensors(only !== undefined && others.length === 0 ? join(folder, only) : folder);
    },
  };
}

/** Writes an edge number at some place. */
function putNumber(dice: Dice, bytes: Buffer): Buffer {
  edgeNumber(dice).copy(bytes, dice.below(bytes.length));
  return bytes;
}

/** Makes distributed checkpoints of PyTorch with other metadata and files of chunks. */
export function createDcpTarget(): FuzzTarget {
  return createRunTarget({
    name: "distributed checkpoint",
    runs: ["dcp", "fsdp", "dcp-safetensors"],
    change: (dice, bytes) => (bytes[0] === 0x80 ? mutatePickle(dice, bytes) : mutateHeaders(dice, bytes)),
    *bombs(files) {
      for (const bomb of Object.values(PICKLE_BOMBS)) yield { ...files, ".metadata": bomb };
    },
  });
}

/** Makes ZeRO checkpoints of DeepSpeed with other states of processes. */
export function createZeroTarget(): FuzzTarget {
  return createRunTarget({ name: "zero", runs: ["zero2", "zero3"], change: mutateHeaders });
}

/** Makes MessagePack of Flax and HDF5 of Keras with other heads, lengths and addresses. */
export function createKerasAndFlaxTarget(): FuzzTarget {
  return createRunTarget({
    name: "keras and flax",
    runs: ["flax", "keras-h5", "keras-keras"],
    change: putNumber,
    *bombs() {
      yield { "x.msgpack": Buffer.from("\x81\xa1a".repeat(1_000_000), "latin1") };
      yield {
        "x.msgpack": Buffer.concat([
          Buffer.from("\x81\xa1a\xdd\x00\x98\x96\x80", "latin1"),
          Buffer.alloc(10_000_000, 0x80),
        ]),
      };
    },
  });
}
