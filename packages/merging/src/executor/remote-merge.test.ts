import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Checkpoint,
  convertCheckpoint,
  defineCheckpoint,
  ggufForm,
  openCheckpoint,
  type TensorInfo,
} from "@isthmus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repeatInto } from "../../../../test/helpers/repeat-into.ts";
import { planMerge } from "../merge.ts";
import { type MergePlan, mergeByPlan } from "../merge-plan.ts";
import { slerp } from "../methods/slerp.ts";
import {
  type MergePiecesParams,
  type OpenMergeExecutor,
  REMOTE_BYTES,
  runMergePieces,
} from "./remote-merge.ts";
import { saveMerge } from "./save-merge.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-remote-merge-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

/** A network that is large enough for three tasks: each large tensor is one, the small ones together another. */
function network(seed: number, shape: readonly number[]): Checkpoint {
  const large: TensorInfo = { dtype: "bf16", shape };
  const small: TensorInfo = { dtype: "f32", shape: [5] };
  const tensors = new Map<string, TensorInfo>([
    ["b", small],
    ["a", large],
    ["c", small],
    ["d", large],
  ]);
  const source = `network ${seed}`;
  const numbers = Uint16Array.from({ length: 97 * 512 }, (_, i) => 0x3f00 + ((i * 7 + seed * 31) % 97));
  return defineCheckpoint({
    ...{ source, tensors },
    async readInto(name, begin, out) {
      if (name === "a" || name === "d") repeatInto(numbers, begin, out as Uint16Array);
      else for (let i = 0; i < out.length; i++) out[i] = (begin + i + seed) as never;
    },
  });
}

const plan = (shape: readonly number[] = [REMOTE_BYTES / 2]): MergePlan =>
  planMerge([network(1, shape), network(2, shape)], {
    method: slerp,
    parameters: { t: 0.3 },
    seed: 0,
    base: undefined,
  });
const control = { signal: new AbortController().signal, onProgress() {} };

/** Says what executors on machines that see no file of this one did. */
interface Machines {
  readonly ran: MergePiecesParams[];
  readonly removed: string[];
  cleared: number;
}

/** Opens machines of which each makes a file of pieces, but for the task of some number, which fails. */
function openMachines(machines: Machines, failing = -1, made: MergePlan = plan()): OpenMergeExecutor {
  return async () => ({
    capacity: 1,
    isShared: false,
    async run(params) {
      const place = path(`task-${machines.ran.length}`);
      machines.ran.push(params);
      mkdirSync(place, { recursive: true });
      if (machines.ran.length - 1 === failing) throw new TypeError("a machine has failed");
      await runMergePieces(made, params, { ...control, folder: place, onBytes() {} });
      expect(readdirSync(place)).toEqual(["pieces.bin"]);
      return {
        folder: place,
        async remove() {
          machines.removed.push(place);
          rmSync(place, { recursive: true });
        },
      };
    },
    async clear() {
      machines.cleared++;
    },
    async close() {},
  });
}

const source = { module: import.meta.url, data: { recipe: "as it is" } };

describe("saveMerge() with machines that share no disk", () => {
  it("puts files of pieces together to the bytes of threads, and goes on after a machine has failed", async () => {
    const machines: Machines = { ran: [], removed: [], cleared: 0 };
    const file = path("remote.safetensors");
    const save = (failing: number) =>
      saveMerge(plan(), file, { source, openExecutor: openMachines(machines, failing) });
    await expect(save(1)).rejects.toThrow("a machine has failed");
    expect([machines.ran.length, machines.removed.length, machines.cleared]).toEqual([2, 1, 0]);

    const { resumedBytes } = await save(-1);
    expect(resumedBytes).toBe(machines.ran[0]?.bytes);
    expect(machines.ran[2]).toEqual(machines.ran[1]);
    expect([machines.ran.length, machines.removed.length, machines.cleared]).toEqual([4, 3, 1]);
    expect(machines.ran[0]).not.toHaveProperty("unfinished");

    await saveMerge(plan(), path("alone.safetensors"), { threads: 1 });
    const [remote, alone] = [readFileSync(file), readFileSync(path("alone.safetensors"))];
    expect(remote.equals(alone)).toBe(true);
  }, 60_000);

  it("encodes what other machines have made, to the bytes of one machine and of a conversion", async () => {
    const machines: Machines = { ran: [], removed: [], cleared: 0 };
    const small = plan([64, 256]);
    const form = ggufForm({ dtype: "q4_k_m" });
    const files = ["remote", "alone", "converted"].map((name) => path(`${name}.gguf`));
    const [remote = "", alone = "", converted = ""] = files;
    await saveMerge(small, remote, { form, source, openExecutor: openMachines(machines, -1, small) });
    expect(machines.ran).toHaveLength(1);
    // Pieces of 1000 bytes are cut such that each has whole blocks.
    await saveMerge(small, alone, { form, pieceBytes: 1000 });
    await using written = await openCheckpoint(alone);
    expect(written.tensors.get("a")?.stored).toBe("Q4_K");
    const { metadata } = written;
    await convertCheckpoint(mergeByPlan(small), converted, { dtype: "q4_k_m", metadata });
    const [first, ...others] = files.map((file) => readFileSync(file).toString("base64"));
    expect(others).toEqual([first, first]);
  });

  it("refuses a file of another size, and another plan", async () => {
    const open: OpenMergeExecutor = async () => ({
      ...{ capacity: 1, isShared: false },
      async run({ bytes }) {
        writeFileSync(path("pieces.bin"), new Uint8Array(bytes + 1));
        return { folder, async remove() {} };
      },
      async clear() {},
      async close() {},
    });
    const saved = saveMerge(plan(), path("short.safetensors"), { source, openExecutor: open });
    await expect(saved).rejects.toThrow(/must hold them and nothing else, \d+ bytes: it has \d+/);
    const params = { data: {}, digest: "other", allowNonFinite: false, pieces: [], bytes: 0 };
    await expect(runMergePieces(plan(), params, { ...control, folder, onBytes() {} })).rejects.toThrow(
      /must give the plan that was made elsewhere/,
    );
  }, 60_000);
});
