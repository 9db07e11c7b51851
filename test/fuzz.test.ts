import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDice } from "../tools/fuzz/dice.ts";
import { createInputFolder } from "../tools/fuzz/input-folder.ts";
import { isOwnError } from "../tools/fuzz/is-own-error.ts";
import { TARGETS } from "../tools/fuzz/targets.ts";

/** `tools/fuzz/run.ts` reads a million with other seeds, and watches time and memory too. */
const SEED = 20261126;
const BOMBS = 12;
/** Inputs for each part of a target's share. */
const MADE = 4;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "isthmus-fuzz-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** So many of the items, evenly from first to last. */
function sample<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return items.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

describe("readers of hostile and damaged files", () => {
  it.each(Object.entries(TARGETS))(
    "%s: reads what is valid, and refuses the rest in words of its own",
    async (name, entry) => {
      const target = await entry.create();
      const dice = createDice(SEED, name);
      const valid = [...target.valid()];
      const made = Array.from({ length: Math.ceil(MADE * entry.share) }, () => target.make(dice));
      const folder = createInputFolder(join(root, name));
      for (const [i, input] of [...valid, ...sample([...target.bombs()], BOMBS), ...made].entries()) {
        folder.write(input);
        const error = await target.read(folder.path).then(
          () => undefined,
          (reason: unknown) => ({ reason }),
        );
        if (error === undefined) continue;
        expect({ i, error, isOwn: i >= valid.length && (await isOwnError(error.reason)) }).toMatchObject({
          isOwn: true,
        });
      }
    },
  );
});
