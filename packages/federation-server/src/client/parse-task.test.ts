import { describe, expect, it } from "vitest";
import { parseTask } from "./parse-task.ts";

const network = "a".repeat(64);

describe("parseTask()", () => {
  it.each([
    { task: "train", round: 3, network },
    { task: "secure", round: 3, step: "shares" },
    { task: "wait", reason: "round 1 waits for clients" },
    { task: "finished", network, reason: null },
  ])("parseTask() takes %j, and leaves what it does not need", (task) => {
    expect(parseTask({ secondsLeft: 2, ...task })).toEqual(task);
  });

  it.each([
    [{ task: "train", round: null, network }, '"round"'],
    [{ task: "train", round: 0, network }, '"round" must be at least 1'],
    [{ task: "train", round: 1 }, '"network" is missing'],
    [{ task: "finished", network: "../../x", reason: null }, '"network" must be a SHA-256'],
    [{ task: "secure", round: 1, step: "masked" }, '"step"'],
    [{ task: "secure", step: "keys" }, '"round" is missing'],
    [{ task: "wait" }, '"reason" is missing'],
    [{ task: "sleep" }, '"task"'],
    [{}, '"task"'],
    ["no", "must be a task"],
  ])("parseTask() names what is wrong with %j", (answer, key) => {
    expect(() => parseTask(answer)).toThrow(key);
  });
});
