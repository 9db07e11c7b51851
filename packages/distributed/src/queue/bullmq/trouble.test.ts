import { InputError, messageOf } from "@isthmus/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTrouble, isAway, type Trouble } from "./trouble.ts";

const AWAY = new Error("connect ECONNREFUSED 127.0.0.1:6379");

let said: string[] = [];
let trouble: Trouble;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  trouble = createTrouble("queue a", messageOf);
  trouble.listen((sentence) => said.push(sentence));
});

afterEach(() => void vi.useRealTimers());

describe("createTrouble()", () => {
  it("says one sentence for each outage, to each listener", async () => {
    for (let error = 0; error < 1000; error++) trouble.report(AWAY);
    trouble.over();
    // The connections of one queue come back one after the other.
    trouble.report(AWAY);
    expect(said).toEqual([
      "Trouble with the queue a: connect ECONNREFUSED 127.0.0.1:6379. Trying again until it answers",
    ]);
    trouble.over();
    await vi.advanceTimersByTimeAsync(60_000);
    trouble.report(AWAY);
    expect(said).toHaveLength(2);
  });

  it("tells a listener that was added twice once, until both are taken away", () => {
    const seen: string[] = [];
    const listener = (sentence: string): void => void seen.push(sentence);
    const [first, second] = [trouble.listen(listener), trouble.listen(listener)];
    trouble.tell("one");
    first();
    trouble.tell("two");
    second();
    trouble.tell("three");
    expect(seen).toEqual(["one", "two"]);
  });

  it("insist() goes on through an outage of less than a minute", async () => {
    let times = 0;
    const result = trouble.insist("count tasks of", async () => {
      if (++times < 100) throw AWAY;
      return 7;
    });
    await vi.advanceTimersByTimeAsync(59_000);
    await expect(result).resolves.toBe(7);
    expect(said).toHaveLength(1);
  });

  it("insist() gives up at once what is under way when it is closed, and whatever comes after", async () => {
    for (const act of [() => Promise.reject(AWAY), () => new Promise<never>(() => undefined)]) {
      const closed = createTrouble("queue a", messageOf);
      const result = closed.insist("add tasks to", act).catch((error: unknown) => error);
      closed.close();
      await vi.advanceTimersByTimeAsync(1000);
      const later = closed.insist("list tasks of", act).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(1000);
      for (const error of [await result, await later]) expect(error).toBeInstanceOf(InputError);
      expect(messageOf(await later)).toMatch(/Cannot list tasks of the queue a as it must answer/);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("insist() gives up after a minute, of errors or of silence", async () => {
    for (const act of [() => Promise.reject(AWAY), () => new Promise<never>(() => undefined)]) {
      const result = trouble.insist("add tasks to", act).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(61_000);
      const error = await result;
      expect(error).toBeInstanceOf(InputError);
      expect(String(error)).toMatch(/^InputError: Cannot add tasks to the queue a as it must answer: /);
    }
  });

  it("insist() does not repeat what the server refuses", async () => {
    const act = vi.fn(() => Promise.reject(new Error("NOPERM this user has no permissions")));
    await expect(trouble.insist("count tasks of", act)).rejects.toThrow("NOPERM");
    expect(act).toHaveBeenCalledTimes(1);
    expect(said).toEqual([]);
  });
});

describe("isAway()", () => {
  it("knows the errors of clients whose server is away, by code or by text", () => {
    const coded = (code: string): Error => Object.assign(new Error("no"), { code });
    for (const error of [
      AWAY,
      coded("57P01"),
      coded("ECONNRESET"),
      new Error("Connection is closed."),
      new AggregateError([AWAY]),
    ])
      expect(isAway(error)).toBe(true);
    for (const error of [coded("42P01"), new Error("WRONGPASS"), "ECONNREFUSED"])
      expect(isAway(error)).toBe(false);
  });
});
