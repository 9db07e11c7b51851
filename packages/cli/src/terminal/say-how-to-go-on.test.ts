import { describe, expect, it } from "vitest";
import { sayHowToGoOn } from "./say-how-to-go-on.ts";
import type { Terminal } from "./terminal.ts";

async function notesOf(stop: boolean, left: string | undefined): Promise<readonly string[]> {
  const [notes, stopping] = [[] as string[], new AbortController()];
  const terminal = { note: (line: string) => void notes.push(line) } as unknown as Terminal;
  const work = async () => {
    if (stop) stopping.abort();
    throw new Error("it ends");
  };
  const context = { signal: stopping.signal, terminal };
  await expect(sayHowToGoOn({ verb: "train", left: () => left }, context, work)).rejects.toThrow("it ends");
  return notes;
}

describe("sayHowToGoOn()", () => {
  it("says what is left if the user stops the work, and throws the error on", async () => {
    expect(await notesOf(true, 'the state is in "a": --resume goes on')).toEqual([
      'isthmus train: the state is in "a": --resume goes on',
    ]);
  });

  it("says nothing if nothing is left, or if the work fails by itself", async () => {
    expect(await notesOf(true, undefined)).toEqual([]);
    expect(await notesOf(false, "the state is there")).toEqual([]);
  });
});
