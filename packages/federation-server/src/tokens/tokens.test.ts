import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addToken, clientOfToken, readTokens, removeToken } from "./tokens.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "isthmus-tokens-")), "tokens.json");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true }));

describe("tokens", () => {
  it("belong to one client each, until another one is made or it is removed", async () => {
    const [ada, bea] = [await addToken(path, "ada"), await addToken(path, "bea")];
    const clientOf = async (token: string) => clientOfToken(await readTokens(path), token);
    expect([await clientOf(ada), await clientOf(bea)]).toEqual(["ada", "bea"]);
    const again = await addToken(path, "ada");
    expect([await clientOf(ada), await clientOf(again)]).toEqual([undefined, "ada"]);
    expect([await removeToken(path, "ada"), await removeToken(path, "ada")]).toEqual([true, false]);
    expect([await clientOf(again), await clientOf(bea)]).toEqual([undefined, "bea"]);
  });

  it("are never lost by two changes at once: one of them is refused, or both are there", async () => {
    const names = ["ada", "bea", "cas", "dan"];
    const made = await Promise.allSettled(names.map((name) => addToken(path, name)));
    const kept = names.filter((_, i) => made[i]?.status === "fulfilled");
    expect(kept.length).toBeGreaterThan(0);
    expect([...(await readTokens(path)).keys()].sort()).toEqual(kept);
    for (const { reason } of made.filter((result) => result.status === "rejected")) {
      expect(String(reason)).toMatch(/no other process may be at work there/);
    }
    expect(readdirSync(join(path, ".."))).toEqual(["tokens.json"]);
  });

  it("are not guessed by any text, nor by a changed one", async () => {
    const token = await addToken(path, "ada");
    const hashes = await readTokens(path);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(clientOfToken(hashes, text)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (place, letter) => {
        fc.pre(token[place] !== letter);
        const changed = token.slice(0, place) + letter + token.slice(place + 1);
        expect(clientOfToken(hashes, changed)).toBeUndefined();
      }),
    );
  });

  it.each(["", "a b", "../x", "a.b", "-a", "é", "a".repeat(65)])("are not made for %j", async (name) => {
    await expect(addToken(path, name)).rejects.toThrow(/name must be 1 to 64 letters/);
  });

  it.each(["{}", "[]", "null", '{"format":"isthmus tokens","clients":{"ada":"x"}}', "text"])(
    "are not read from %j",
    async (text) => {
      writeFileSync(path, text);
      await expect(readTokens(path)).rejects.toThrow(/^Cannot read tokens from/);
    },
  );
});
