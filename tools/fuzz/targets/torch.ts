import { join } from "node:path";
import { PICKLE_BOMBS } from "../../../packages/core/test-fixtures/pickles.ts";
import type { Dice } from "../dice.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutatePickle, randomPickle } from "../mutate/mutate-pickle.ts";
import { mutateFiles, mutateHeaders, packZip, unpackZip, type ZipFiles } from "../mutate/zip-archive.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzTarget } from "../target.ts";

const FILE = "x.pt";
const read = (folder: string): Promise<void> => readTensors(join(folder, FILE));
const seedsOf = (names: readonly string[]): Buffer[] =>
  names.map((name) => fixture(`packages/core/test-fixtures/${name}.pt`));

/** Makes archives of `torch.save` of which the pickle, the headers or the files are changed. */
export function createTorchZipTarget(): FuzzTarget {
  const seeds = seedsOf(["types-protocol2", "types-protocol5", "training", "strided", "parameter"]);
  const archives = seeds.map(unpackZip);
  return {
    name: "torch zip",
    valid: () => seeds.map((seed) => ({ [FILE]: seed })),
    *bombs() {
      const [files] = archives as [ZipFiles];
      for (const bomb of Object.values(PICKLE_BOMBS)) {
        yield {
          [FILE]: packZip(
            changePickle(files, () => bomb),
            false,
          ),
        };
      }
      yield { [FILE]: packZip(files, true) };
    },
    make(dice) {
      const index = dice.below(seeds.length);
      return { [FILE]: changeArchive(dice, seeds[index]!, archives[index]!) };
    },
    read,
  };
}

function changeArchive(dice: Dice, seed: Buffer, files: ZipFiles): Buffer {
  if (dice.chance(0.2)) return mutateBytes(dice, seed);
  if (dice.chance(0.3)) return mutateHeaders(dice, seed);
  if (dice.chance(0.3)) return packZip(mutateFiles(dice, files), dice.chance(0.03));
  const change = (pickle: Buffer) => (dice.chance(0.2) ? randomPickle(dice) : mutatePickle(dice, pickle));
  return packZip(changePickle(files, change), false);
}

function changePickle(files: ZipFiles, change: (pickle: Buffer) => Buffer): ZipFiles {
  return files.map(
    ([name, content]) => [name, name.endsWith("data.pkl") ? change(content) : content] as const,
  );
}

/** Makes files of the old format of `torch.save` with other bytes or operations. */
export function createTorchLegacyTarget(): FuzzTarget {
  const seeds = seedsOf(["types-legacy", "strided-legacy"]);
  const [first] = seeds as [Buffer];
  // The magic number, the protocol and the description of the system, then what was saved.
  const head = first.subarray(0, first.indexOf(".", first.indexOf("little_endian")) + 1);
  return {
    name: "torch legacy",
    valid: () => seeds.map((seed) => ({ [FILE]: seed })),
    *bombs() {
      for (const bomb of Object.values(PICKLE_BOMBS)) yield { [FILE]: Buffer.concat([head, bomb]) };
    },
    make: (dice) => ({ [FILE]: (dice.chance(0.5) ? mutateBytes : mutatePickle)(dice, dice.pick(seeds)) }),
    read,
  };
}
