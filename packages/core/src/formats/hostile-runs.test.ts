import { mkdtemp, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { layOut, type TrainingRun, trainingRun } from "../../test-fixtures/runs.ts";
import { FormatError, InputError, UnsupportedError } from "../errors.ts";
import { openCheckpoint } from "../open-checkpoint.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-hostile-runs-"));
});
afterEach(() => rm(folder, { recursive: true }));

type Files = TrainingRun["files"];
const filesOf = (name: string): Files => trainingRun(name).files;
/** Replaces text, read as Latin-1, by other text of the same length, at its first place or at all. */
function patch(bytes: Buffer, from: string, to: string, all = false): Buffer {
  expect(to.length).toBe(from.length);
  expect(bytes.includes(Buffer.from(from, "latin1"))).toBe(true);
  const text = bytes.toString("latin1");
  return Buffer.from(all ? text.replaceAll(from, to) : text.replace(from, to), "latin1");
}
const without = (files: Files, ...names: readonly string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));

/** Opens files as a checkpoint, and reads all of it. */
async function readAll(files: Files): Promise<void> {
  const place = await mkdtemp(join(folder, "run-"));
  await using checkpoint = await openCheckpoint(await layOut(place, files));
  for (const name of checkpoint.tensors.keys()) await checkpoint.read(name);
}
async function refusal(files: Files): Promise<Error> {
  return readAll(files).then(
    () => expect.fail("it was read"),
    (error: Error) => error,
  );
}

describe("distributed checkpoints", () => {
  const files = filesOf("dcp");
  const change = (from: string, to: string, all = false): Files => ({
    ...files,
    ".metadata": patch(files[".metadata"]!, from, to, all),
  });

  it("names the missing file of a process", async () => {
    const error = await refusal(without(files, "__2_0.distcp"));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain("__2_0.distcp");
  });

  it("says what a folder holds if it is not the one of a checkpoint", async () => {
    const error = await refusal(without(files, ".metadata"));
    expect(error.message).toMatch(
      /it has none, but parts of .* such as "__0_0\.distcp", without the file "\.metadata"/,
    );
    const run = join(folder, "run");
    for (const step of ["step-9", "step-20", "logs"])
      await layOut(join(run, step), step === "logs" ? { "log.txt": Buffer.from("x") } : files);
    await expect(openCheckpoint(run)).rejects.toThrow(
      `it has none, but folders with checkpoints: name one of them, such as "${join(run, "step-20")}"`,
    );
    await expect(openCheckpoint(join(run, "step-20", "__0_0.distcp"))).rejects.toThrow(
      `one part of a distributed checkpoint: name its folder, "${join(run, "step-20")}"`,
    );
  });

  it("does not follow names out of the folder, by a path or by a link", async () => {
    const error = await refusal(change("__0_0.distcp", "../../passwd"));
    expect(error.message).toContain('must be in a file beside the metadata: it is in "../../passwd"');
    const path = await layOut(join(folder, "linked"), files);
    await unlink(join(path, "__1_0.distcp"));
    await symlink("/etc/hostname", join(path, "__1_0.distcp"));
    await expect(openCheckpoint(path)).rejects.toThrow("a link in a folder must lead to a file in it");
  });

  it("runs nothing: other classes are refused by name", async () => {
    const error = await refusal(change("TensorStorageMetadata", "TensorStorageMetadat_"));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toContain(
      "is described by torch.distributed.checkpoint.metadata.TensorStorageMetadat_, which is not run",
    );
  });

  // The sizes of the first chunk of "rows" [5, 3] of 4 processes are (2, 3), and its offsets (0, 0).
  it("refuses chunks that overlap, leave a gap, or lie outside their tensor", async () => {
    const start = Buffer.from(files[".metadata"]!).toString("latin1");
    expect(start).toContain("K\x02K\x03\x86");
    const grown = await refusal(change("K\x02K\x03\x86", "K\x03K\x03\x86"));
    expect(grown.message).toMatch(/must not have two pieces for one place: .* overlap/);
    const shrunk = await refusal(change("K\x02K\x03\x86", "K\x01K\x03\x86"));
    expect(shrunk.message).toMatch(/must have a piece for each element: \d+ pieces hold \d+ of 15/);
    const outside = await refusal(change("K\x02K\x03\x86", "K\x7fK\x03\x86"));
    expect(outside).toBeInstanceOf(FormatError);
  });

  it("refuses chunks beyond their file, and chunks that are not what the metadata says", async () => {
    const cut = { ...files, "__0_0.distcp": files["__0_0.distcp"]!.subarray(0, 900) };
    expect((await refusal(cut)).message).toMatch(/it must hold the chunk of ".*" from byte \d+/);
    const types = await refusal(change("\x8c\x07float16", "\x8c\x07float_6"));
    expect(types).toBeInstanceOf(UnsupportedError);
    const swapped = { ...files, "__0_0.distcp": Buffer.from(files["__0_0.distcp"]!).fill(0, 0, 200) };
    expect(await refusal(swapped)).toBeInstanceOf(FormatError);
  });

  it("names the process whose safetensors files are missing", async () => {
    const shards = filesOf("dcp-safetensors");
    const [, second] = Object.keys(shards);
    expect((await refusal(without(shards, second ?? ""))).message).toContain(
      "those of process 2 are missing",
    );
  });
});

describe("files of processes", () => {
  const files = filesOf("fsdp-ranks");
  const nameOf = (rank: number, count = 4) => `model_world_size_${count}_rank_${rank}.pt`;

  it("are named if one is missing, or of another run, and are opened by their folder", async () => {
    for (const rank of [0, 2, 3])
      expect((await refusal(without(files, nameOf(rank)))).message).toContain(
        `${nameOf(rank)}" as the file of each process must be there`,
      );
    const stale = await refusal({ ...files, [nameOf(0, 8)]: files[nameOf(0)]! });
    expect(stale.message).toContain("some are of 4 processes and some of 8");
    const lone = await refusal({ [nameOf(1)]: files[nameOf(1)]! });
    expect(lone.message).toContain("is one part of a distributed checkpoint: name its folder");
  });

  it("are refused if a box is not what its placement says, or a tensor is placed in another way", async () => {
    const swapped = { ...files, [nameOf(1)]: files[nameOf(0)]! };
    expect((await refusal(swapped)).message).toMatch(/two pieces for one place|a piece for each element/);
    const strange = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        withoutChecksums(patch(bytes, "placement_types\nReplicate", "placement_types\nReplicat_", true)),
      ]),
    );
    expect((await refusal(strange)).message).toContain('"rows" is placed by');
  });
});

describe("ZeRO", () => {
  it.each(["zero2", "zero3"])("%s names the missing file of a process, and a stray one", async (name) => {
    const files = filesOf(name);
    const optimizers = Object.keys(files).filter((file) => file.endsWith("_optim_states.pt"));
    for (const [rank, file] of optimizers.entries()) {
      const error = await refusal(without(files, file));
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toContain(`zero_pp_rank_${rank}_mp_rank_00_optim_states.pt`);
    }
    const [first = ""] = optimizers;
    const stray = { ...files, [first.replace("rank_0", "rank_2")]: files[first]! };
    expect((await refusal(stray)).message).toContain(
      "there must be a file for each of its 2 processes: there are 3",
    );
  });

  it("does not leave its folder by the file that names the latest step", async () => {
    const files = filesOf("zero2");
    expect((await refusal({ ...files, latest: Buffer.from("../elsewhere") })).message).toContain(
      'it must name a folder beside it: it says "../elsewhere"',
    );
    const path = await layOut(join(folder, "linked"), without(files, "latest"));
    await layOut(path, { latest: Buffer.from("out"), keep: Buffer.from("") });
    await symlink(tmpdir(), join(path, "out"));
    await expect(openCheckpoint(path)).rejects.toThrow("it must hold the folder that it points to");
  });
});

describe("Megatron", () => {
  const files = filesOf("megatron");
  const names = Object.keys(files).filter((name) => name.includes("mp_rank"));

  it.each(names)("names %s if it is missing", async (name) => {
    const error = await refusal(without(files, name));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(name.split("/")[1]);
  });

  it("refuses slices of layers that it does not know", async () => {
    const strange = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        name.includes("mp_rank")
          ? withoutChecksums(patch(bytes, "linear_proj.weight", "linear_what.weight", true))
          : bytes,
      ]),
    );
    expect((await refusal(strange)).message).toContain("no rule fits its name");
  });
});

/** An archive without checksums, as PyTorch writes it if it is told to compute none. */
function withoutChecksums(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 1))
    bytes.writeUInt32LE(0, at + 16);
  return bytes;
}

describe("Flax", () => {
  const [bytes] = Object.values(filesOf("flax")) as [Buffer];
  const open = (content: Buffer) => refusal({ "x.msgpack": content });

  it("refuses depth bombs, floods of dictionaries, and claims beyond the file", async () => {
    const deep = Buffer.concat([Buffer.from("\x81\xa1a".repeat(5_000), "latin1"), Buffer.from([0xc0])]);
    expect((await open(deep)).message).toContain("values may be nested 64 deep");
    const flood = Buffer.concat([
      Buffer.from("\x81\xa1a\xdd\x00\x01\x86\xa0", "latin1"),
      Buffer.alloc(100_000, 0x80),
    ]);
    expect((await open(flood)).message).toContain("a dictionary or list for 64 bytes");
    expect((await open(Buffer.from("\x81\xa1a\xc6\xff\xff\xff\xff", "latin1"))).message).toContain(
      "claims 4294967295 bytes of 0",
    );
    expect((await open(bytes.subarray(0, 100))).message).toContain("must hold what it claims");
    expect((await open(Buffer.concat([bytes, Buffer.from([0])]))).message).toContain("1 bytes follow");
  });

  it("refuses arrays whose sizes do not multiply to their bytes, and unknown types", async () => {
    expect((await open(patch(bytes, "\x91\x05\xa7float16", "\x91\x06\xa7float16"))).message).toContain(
      "must have as many bytes as",
    );
    expect(await open(patch(bytes, "float32", "float99", true))).toBeInstanceOf(UnsupportedError);
  });
});

describe("HDF5 of Keras", () => {
  const [bytes] = Object.values(filesOf("keras-h5")) as [Buffer];
  const open = (content: Buffer) => refusal({ "x.h5": content });

  it("refuses groups that lead back to themselves", async () => {
    const looped = Buffer.from(bytes);
    const root = looped.readBigUInt64LE(64);
    for (let at = looped.indexOf("SNOD"); at >= 0; at = looped.indexOf("SNOD", at + 1)) {
      for (let i = 0; i < looped.readUInt16LE(at + 6); i++) looped.writeBigUInt64LE(root, at + 16 + 40 * i);
    }
    expect((await open(looped)).message).toMatch(/lead back to themselves|leads back to itself/);
    const tree = Buffer.from(bytes);
    const place = tree.indexOf("TREE");
    tree.writeUInt8(1, place + 5);
    tree.writeBigUInt64LE(BigInt(place), place + 32);
    expect((await open(tree)).message).toMatch(/levels|lead back to themselves/);
  });

  it("refuses structures and elements beyond the file, and files that are cut", async () => {
    const far = Buffer.from(bytes);
    far.writeBigUInt64LE(2n ** 60n, 64);
    expect((await open(far)).message).toContain("its structures must be within its");
    for (const length of [8, 90, 800, 5_000, bytes.length - 1]) {
      const error = await readAll({ "x.h5": bytes.subarray(0, length) }).catch((problem: Error) => problem);
      if (error !== undefined) expect(error).toBeInstanceOf(FormatError);
    }
  });
});
