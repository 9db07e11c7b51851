import { existsSync } from "node:fs";
import { join } from "node:path";
import { deepen } from "../bombs.ts";
import { savedFiles, smallCheckpoint } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

const INDEX = "model.safetensors.index.json";

/**
 * Makes sets of shards of which the index, a shard or the names are changed, and opens them by index and by
 * folder.
 */
export async function createShardsTarget(): Promise<FuzzTarget> {
  const files = await savedFiles(smallCheckpoint(), 16);
  const index = JSON.parse(files[INDEX]!.toString()) as object;
  const names = Object.keys(files).filter((name) => name !== INDEX);
  return {
    name: "shards",
    valid: () => [files],
    *bombs() {
      for (const text of deepen({ metadata: { total_size: 1 }, weight_map: { a: "b" } }))
        yield { ...files, [INDEX]: text };
      const many = Array.from({ length: 2000 }, (_, i) => `"${i}":"${i}"`).join(",");
      yield { [INDEX]: `{"weight_map":{${many}}}` };
      yield { "model-00001-of-99999999999.safetensors": files[names[0]!]! };
    },
    make(dice): FuzzInput {
      const changed: Record<string, string | Uint8Array> = { ...files };
      const name = dice.pick(names);
      const strange = name.replace("of-0000", dice.pick(["of-0001", "of-", "x"]));
      const edits: readonly (readonly [string, () => string | Uint8Array | undefined])[] = [
        [INDEX, () => writeJson(dice, mutateJson(dice, index))],
        [INDEX, () => mutateBytes(dice, files[INDEX]!)],
        [name, () => mutateBytes(dice, files[name]!)],
        [name, () => undefined],
        [INDEX, () => undefined],
        [strange, () => files[dice.pick(names)]!],
        ["other.safetensors", () => files[name]!],
      ];
      for (let round = 1 + dice.below(2); round > 0; round--) {
        const [file, content] = dice.pick(edits);
        const bytes = content();
        if (bytes === undefined) delete changed[file];
        else changed[file] = bytes;
      }
      return changed;
    },
    async read(folder) {
      const path = join(folder, INDEX);
      if (existsSync(path)) await readTensors(path);
      await readTensors(folder);
    },
  };
}
