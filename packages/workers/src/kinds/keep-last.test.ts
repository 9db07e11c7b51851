import { describe, expect, it } from "vitest";
import { keepLast } from "./keep-last.ts";

describe("keepLast()", () => {
  it("keepLast() opens what has the same key once, and closes it before it opens something else", async () => {
    const said: string[] = [];
    const keep = keepLast<string>(async (opened) => {
      said.push(`close ${opened}`);
    });
    const open = (name: string) =>
      keep(name, async () => {
        said.push(`open ${name}`);
        return name;
      });
    expect(await Promise.all([open("a"), open("a")])).toEqual(["a", "a"]);
    expect([await open("a"), await open("b"), await open("a")]).toEqual(["a", "b", "a"]);
    expect(said).toEqual(["open a", "close a", "open b", "close b", "open a"]);
  });

  it("keepLast() opens again what could not be opened, and goes on after what could not be closed", async () => {
    const keep = keepLast<string>(() => Promise.reject(new TypeError("not closed")));
    await expect(keep("a", () => Promise.reject(new TypeError("not opened")))).rejects.toThrow("not opened");
    expect(await keep("a", async () => "a")).toBe("a");
    expect(await keep("b", async () => "b")).toBe("b");
  });
});
