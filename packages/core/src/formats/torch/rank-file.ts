import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { ReadPart } from "../pieces/piece.ts";
import { tensorReader } from "./define-torch-checkpoint.ts";
import { createSettingsFinder } from "./globals.ts";
import { readTorchArchive, type TorchArchive } from "./open-torch-zip.ts";
import type { TorchTensor } from "./tensors.ts";

/** A file of `torch.save` in which one process of a training run stored its state. */
export interface RankFile {
  /** Name of the file, for messages. */
  readonly name: string;
  /** The value, in which objects of the training program are records. */
  readonly value: unknown;
  /**
   * Makes the functions that read some tensors of the file, one for each.
   * @throws FormatError if a storage is missing, or has another size than its tensors say
   */
  readers(tensors: readonly TorchTensor[]): ReadPart[];
}

/** Reads the state that one process stored, without the elements of tensors and without running code. */
export async function readRankFile(source: ByteSource): Promise<RankFile> {
  const archive: TorchArchive = await readTorchArchive(source, createSettingsFinder(source.name));
  return {
    name: source.name,
    value: archive.value,
    readers(tensors) {
      const named = new Map(tensors.map((tensor, i) => [String(i), tensor]));
      const read = tensorReader(named, archive.readStorages(tensors));
      return tensors.map((_, i) => {
        const name = String(i);
        entry(named, name, "tensor");
        return (begin, out) => read(name, begin, out);
      });
    },
  };
}
