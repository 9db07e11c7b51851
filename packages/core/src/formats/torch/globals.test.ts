import { describe, expect, it } from "vitest";
import { global, PICKLE_BOMBS, pickle } from "../../../test-fixtures/pickles.ts";
import { isIsthmusError } from "../../errors.ts";
import { createBytesSource } from "../../io/byte-source.ts";
import { collectTensors } from "./collect-tensors.ts";
import { createGlobalFinder } from "./globals.ts";
import { LEGACY_MAGIC, openTorchLegacy } from "./open-torch-legacy.ts";
import { PickleBudget } from "./pickle/pickle-budget.ts";
import { readPickle } from "./pickle/read-pickle.ts";
import { PickleDict, PickleSet } from "./pickle/values.ts";
import { createStorageLoader } from "./storages.ts";

/** Reads a pickle as that of a file of torch.save. */
function read(bytes: Uint8Array): unknown {
  const host = {
    find: createGlobalFinder("test.pt"),
    load: createStorageLoader("test.pt", new Map()),
    budget: new PickleBudget("test.pt"),
  };
  return readPickle(bytes, host, "test.pt").value;
}

describe("createGlobalFinder()", () => {
  it("copies dictionaries, pairs and sets", () => {
    const dictionary = read(
      pickle(`${global("collections", "OrderedDict")}}K\x01K\x02s\x85R.`),
    ) as PickleDict;
    expect(dictionary).toBeInstanceOf(PickleDict);
    expect([...dictionary.entries]).toEqual([[1, 2]]);
    const ofPairs = read(
      pickle(`${global("collections", "OrderedDict")}](K\x01K\x02\x86e\x85R.`),
    ) as PickleDict;
    expect([...ofPairs.entries]).toEqual([[1, 2]]);
    const set = read(pickle(`${global("builtins", "set")}](K\x01K\x02e\x85R.`)) as PickleSet;
    expect(set).toBeInstanceOf(PickleSet);
    expect(set.items).toEqual([1, 2]);
  });

  it.each(Object.entries(PICKLE_BOMBS))("refuses a bomb of %s, and takes little memory", (_, bytes) => {
    const before = process.memoryUsage().heapTotal;
    let refusal: unknown;
    try {
      collectTensors(read(bytes), "test.pt");
    } catch (error) {
      refusal = error;
    }
    expect(process.memoryUsage().heapTotal - before).toBeLessThan(200e6);
    expect(refusal === undefined || isIsthmusError(refusal, "FormatError")).toBe(true);
    // What is plain and deep is no bomb, as long as nobody walks through it by recursion.
    if (!/lists in|tuples in|dictionaries in/.test(_)) expect(refusal).toBeDefined();
  });

  it("says what protocol a file claims, however deeply nested the claim is", async () => {
    const deep = pickle(`${"(".repeat(20_000)}N${"l".repeat(20_000)}.`);
    const file = Buffer.concat([
      pickle("\x80\x02"),
      LEGACY_MAGIC,
      pickle("."),
      deep,
      Buffer.alloc(200_000, "N"),
    ]);
    await expect(openTorchLegacy(createBytesSource(file, "old.pt"))).rejects.toThrow(
      /protocol of the old format must be 1001: it is \[\[\[/,
    );
  });
});
